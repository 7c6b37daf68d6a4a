"""What can be typed behind `:`, as data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.dashboard.panels.views import SWARM_VIEWS, VIEWS


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its arguments."""

    verb: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is no view: how it is written, what it does, and how many arguments it takes."""

    usage: str
    help: str
    least: int = 0
    most: int = 0


COMMANDS: Mapping[str, Command] = {
    "rename": Command("rename NAME", "give the container another name", 1, 1),
    "kill": Command("kill [SIGNAL]", "send a signal, KILL by default", 0, 1),
    "update": Command("update memory=512m cpus=1.5 pids=100 restart=always", "change limits while it runs", 1, 8),
    "prune": Command("prune", "remove what nothing uses, after asking", 0, 0),
    "scale": Command("scale N", "set how many tasks a service has", 1, 1),
    "engines": Command("engines", "the engines, to look at another one"),
    "help": Command("help", "all keys and commands"),
    "quit": Command("quit", "out"),
}


def parse(text: str) -> Call:
    """Reads what was typed; any beginning that fits a single name will do.

    Raises:
        InvalidInput: No such command, several that begin so, or arguments that don't fit.
    """
    try:
        verb, *words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{safe(text)}: {error}".lower(), hint="close the quotes") from error
    views = (*VIEWS, *SWARM_VIEWS)
    names = [*views, *COMMANDS]
    found = [verb] if verb in names else [name for name in names if name.startswith(verb)]
    if len(found) != 1:
        said = f"no such command: {safe(verb)}" if not found else f"{safe(verb)} begins several: {', '.join(found)}"
        raise InvalidInput(said, hint=f"there are {', '.join(names)}")
    name = found[0]
    if name in views:
        return Call("view", (name,))
    command = COMMANDS[name]
    if not command.least <= len(words) <= command.most:
        raise InvalidInput(f"write :{command.usage}", hint=command.help)
    return Call(name, tuple(words))
