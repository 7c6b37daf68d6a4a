"""The structs that carry a command's options have a field for each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from pyd_tui.cli.commands.container.update import UpdateOptions
from pyd_tui.cli.commands.image.build import BuildFlags
from pyd_tui.cli.commands.service.update import ServiceUpdateOptions
from pyd_tui.cli.containers.creation_options import CreateOptions, RunOptions
from pyd_tui.cli.swarm.service_spec import ServiceCreateOptions
from pyd_tui.cli.swarm.settings import SwarmSettings

if TYPE_CHECKING:
    import click
    import msgspec


@pytest.mark.parametrize(
    ("module", "struct", "others"),
    [
        ("container.create", CreateOptions, set()),
        ("container.run", RunOptions, set()),
        ("container.update", UpdateOptions, {"names"}),
        ("image.build", BuildFlags, {"source", "file", "quiet", "iidfile", "progress"}),
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
