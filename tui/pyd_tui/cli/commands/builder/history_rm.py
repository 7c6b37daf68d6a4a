"""`pyd builder history rm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.builder_connection import on_builder
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel


@click.command("rm", cls=PydCommand, examples=(("pyd builder history rm --all", "empty the history"),))
@click.argument("names", metavar="BUILD...", nargs=-1)
@click.option("--all", "remove_all", is_flag=True, help="Remove all builds that don't run.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], remove_all: bool) -> None:
    """Remove builds from the history."""
    from pyd_core.buildkit.client.history import find_build, list_builds, remove_build

    if bool(names) == remove_all:
        raise InvalidInput("name builds, or remove all", hint="pyd builder history ls lists them")

    async def work(channel: DuplexChannel) -> list[str]:
        if remove_all:
            builds = [record.reference for record in await list_builds(channel) if record.status != "running"]
        else:
            builds = [(await find_build(channel, name)).reference for name in names]
        for reference in builds:
            await remove_build(channel, reference)
        return builds

    write("".join(f"{safe(reference)}\n" for reference in on_builder(state, work)))
