"""`pyd version`."""

from __future__ import annotations

import platform

import click

from pyd_core import __version__
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "version",
    cls=PydCommand,
    examples=(
        ("pyd version", "show the versions of pyd and the engine"),
        ("pyd version --client", "show only pyd's version"),
    ),
)
@click.option("--client", "client_only", is_flag=True, help="Show only pyd's own version, without asking the engine.")
@pass_state
def command(state: State, /, *, client_only: bool) -> None:
    """Show the versions of pyd and the engine."""
    client = {"version": __version__, "python": platform.python_version(), "machine": platform.machine()}
    engine = None if client_only else state.ask_provider(lambda engine: engine.system.version())
    if state.json:
        write_json({"client": client, "engine": engine})
        return
    write(f"pyd     {client['version']} (Python {client['python']}, {client['machine']})\n")
    if engine is not None:
        write(
            f"engine  {engine.product} {safe(engine.version)} "
            f"(API {safe(engine.api_version)}, {safe(engine.os)}/{safe(engine.arch)})\n"
        )
