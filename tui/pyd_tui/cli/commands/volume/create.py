"""`pyd volume create`."""

from __future__ import annotations

import click

from pyd_core.cliparse.fields import parse_pairs
from pyd_core.model.volume import VolumeBody
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "create",
    cls=PydCommand,
    examples=(
        ("pyd volume create data", "create a named volume"),
        ("pyd volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch", "create a volume in memory"),
    ),
)
@click.argument("name", required=False, default="", metavar="[VOLUME]")
@click.option("-d", "--driver", default="local", metavar="NAME", help="Driver of the volume.", show_default=True)
@click.option("-o", "--opt", "options", multiple=True, metavar="NAME=VALUE", help="Driver option.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@pass_state
def command(state: State, /, *, name: str, driver: str, options: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Create a volume; without a name, the engine chooses one."""
    body = VolumeBody(name=name, driver=driver, driver_opts=parse_pairs(options), labels=parse_pairs(labels))
    volume = state.ask(lambda engine: engine.volumes.create(body))
    if state.json:
        write_json(volume)
    else:
        write(f"{safe(volume.name)}\n")
