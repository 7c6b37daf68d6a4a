"""`pyd builder history logs`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pyd_tui.cli.builds.builder_connection import on_builder
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel


@click.command(
    "logs",
    cls=PydCommand,
    examples=(("pyd builder history logs", "show the output of the newest build, until it ends if it runs"),),
)
@click.argument("name", metavar="[BUILD]", default="")
@pass_state
def command(state: State, /, *, name: str) -> None:
    """Show the output of a build, by default of the newest."""
    from pyd_core.buildkit.client.history import find_build, replay
    from pyd_tui.cli.builds.displays import JsonDisplay, PlainDisplay

    display = JsonDisplay(sys.stdout) if state.json else PlainDisplay(sys.stdout)

    async def work(channel: DuplexChannel) -> None:
        record = await find_build(channel, name)
        async for progress, change in replay(channel, record.reference):
            display.update(progress, change)

    on_builder(state, work)
