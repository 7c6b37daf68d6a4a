"""Names of containers: the rule for them, and made-up ones."""

from __future__ import annotations

import random
import re
from collections.abc import Container as Holds

from pyd_core.errors import InvalidInput

_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")

_HOW = """
agile amber bold brave breezy bright brisk calm candid clever crisp daring deft eager early fair fleet fond
fresh gentle glad golden grand happy hardy honest humble keen kind lively lucid lunar merry mild modest neat
nimble noble patient plain polite proud quick quiet rapid ready rustic serene sharp silent silver simple sleek
smooth snug solid spry steady still stout sturdy sunny swift tidy tranquil trusty upbeat vivid warm wise witty
young
""".split()  # noqa: SIM905 - easier to read and to add to
_WHAT = """
badger beaver bison bobcat buzzard camel caribou cheetah condor cormorant coyote crane curlew dolphin dormouse
dove eagle egret elk falcon ferret finch fox gazelle gecko goose grebe grouse gull hare harrier hawk hedgehog
heron ibex ibis jackal jaguar jay kestrel kite lapwing lark lemur leopard linnet lynx magpie marmot marten mole
moose narwhal newt ocelot orca osprey otter owl panther partridge pelican petrel pigeon plover puffin puma quail
raven robin salmon seal shrew skylark sloth snipe sparrow squirrel stoat stork swallow swan tapir tern thrush
toad trout turtle viper vole walrus weasel whale wolf wren
""".split()  # noqa: SIM905 - easier to read and to add to


def check(name: str) -> str:
    """Return a name without its slash.

    Raises:
        InvalidInput: It isn't allowed.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"Invalid container name ({name[:80]}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", reference="bad-name"
        )
    return name.removeprefix("/")


def make_up(taken: Holds[str]) -> str:
    """Return an unused name."""
    while True:
        name = f"{random.choice(_HOW)}_{random.choice(_WHAT)}"  # noqa: S311 - a name, not a secret
        if name not in taken:
            return name
        name += str(random.randrange(1000))  # noqa: S311
        if name not in taken:
            return name
