"""`pyd triage`: why a container died, or what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyd_tui.cli.output import write, write_json
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import Verb

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine
    from pyd_core.triage.verdict import Verdict


@click.command(
    "triage",
    cls=Verb,
    examples=(
        ("pyd triage web", "why it died, with the evidence and what to do"),
        ("pyd triage web db --json", "for programs"),
    ),
)
@click.argument("names", nargs=-1, metavar="[CONTAINER]...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> None:
    """Say why containers died or what is wrong with them, with the evidence."""
    verdicts = state.ask(lambda engine: ask(engine, names))
    if state.json:
        write_json(verdicts if len(verdicts) > 1 else verdicts[0])
        return
    from pyd_core.triage.words import describe  # noqa: PLC0415 - JSON needs no words

    write("\n\n".join(describe(verdict) for verdict in verdicts) + "\n")


async def ask(engine: Engine, names: tuple[str, ...]) -> list[Verdict]:
    """Returns the verdict on each container."""
    from pyd_core.triage.ask import explain  # noqa: PLC0415 - only with an engine
    from pyd_core.triage.collect.gather import Surroundings  # noqa: PLC0415 - as above

    around = await Surroundings.of(engine)
    return [await explain(engine, name, around=around) for name in names]
