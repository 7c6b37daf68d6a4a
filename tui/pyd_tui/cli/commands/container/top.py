"""`pyd top`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyd_core.model.container import Processes
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

_NUMBERS = {"PID", "PPID", "%CPU", "%MEM", "VSZ", "RSS", "C", "NI", "PRI", "NLWP", "LWP"}


@click.command(
    "top",
    cls=PydCommand,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    examples=(
        ("pyd top web", "list its processes with the host's process ids"),
        ("pyd top web -o pid,rss,comm", "pass options to the host's ps"),
    ),
)
@click.argument("name", type=ContainerName("running", "paused"), metavar="CONTAINER")
@click.argument("ps_options", nargs=-1, type=click.UNPROCESSED, metavar="[PS OPTIONS]...")
@pass_state
def command(state: State, /, *, name: str, ps_options: tuple[str, ...]) -> None:
    """List the processes of a container, as ps on the engine's host sees them."""
    processes = state.ask_provider(lambda engine: list_processes(engine, name, " ".join(ps_options) or None))
    if state.json:
        write_json([dict(zip(processes.titles, process, strict=False)) for process in processes.processes])
        return
    columns = [
        TableColumn(title=title, right=title in _NUMBERS, cut=20 if title in {"CMD", "COMMAND"} else 0)
        for title in processes.titles
    ]
    write_table(columns, [_row(process, len(columns)) for process in processes.processes])


async def list_processes(engine: Provider, name: str, ps_args: str | None) -> Processes:
    """Return a container's processes."""
    from pyd_core.client.names import resolve_container

    return await engine.containers.top((await resolve_container(engine, name)).id, ps_args=ps_args)


def _row(process: list[str], width: int) -> list[Cell]:
    return [Cell(text) for text in (*process, *([""] * width))[:width]]
