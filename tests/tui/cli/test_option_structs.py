"""Every option of a command reaches its callback, and has a field in the struct that carries it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest

from pyd_tui.cli.builds.flags import BuildFlags
from pyd_tui.cli.commands.container.update import UpdateOptions
from pyd_tui.cli.commands.service.update import ServiceUpdateOptions
from pyd_tui.cli.containers.creation_options import CreateOptions, RunOptions
from pyd_tui.cli.entry import root
from pyd_tui.cli.swarm.service_spec import ServiceCreateOptions
from pyd_tui.cli.swarm.settings import SwarmSettings

if TYPE_CHECKING:
    import msgspec


BUILD_OTHERS = {"source", "quiet", "iidfile", "metadata_file", "progress", "check", "debug", "on", "debug_command"}


@pytest.mark.parametrize(
    ("module", "struct", "others"),
    [
        ("container.create", CreateOptions, set()),
        ("container.run", RunOptions, set()),
        ("container.update", UpdateOptions, {"names"}),
        (
            "image.build",
            BuildFlags,
            BUILD_OTHERS,
        ),
        ("service.create", ServiceCreateOptions, set()),
        ("service.update", ServiceUpdateOptions, {"name", "rollback"}),
        ("swarm.init", SwarmSettings, {"advertise", "listen"}),
        ("swarm.update", SwarmSettings, set()),
    ],
)
def test_every_option_has_its_field(module: str, struct: type[msgspec.Struct], others: set[str]):
    command: click.Command = import_module(f"pyd_tui.cli.commands.{module}").command
    options = {parameter.name for parameter in command.params if parameter.expose_value}
    assert options - others == set(struct.__struct_fields__)


def _commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from _commands(command, f"{prefix}{name} ")
            elif command is not None:
                yield f"{prefix}{name}", command


@pytest.mark.parametrize(
    ("name", "command"), [*_commands(root)], ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_callback_takes_its_parameters(name: str, command: click.Command):
    assert command.callback is not None
    signature = inspect.signature(inspect.unwrap(command.callback)).parameters.values()
    taken = {parameter.name for parameter in signature if parameter.kind is not parameter.VAR_KEYWORD} - {
        "state",
        "ctx",
    }
    options = {parameter.name for parameter in command.params if parameter.expose_value}
    assert taken <= options
    assert taken == options or any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature)
