"""`pyd create`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.cli.containers.creation_options import CreateOptions, creation_options, image_arguments
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State
from pyd_tui.console.output import write, write_json

CONTEXT_SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["--help"]}
"""Arguments after the image belong to the command; -h is the host name."""


def create(ctx: click.Context, /, **values: Any) -> int:
    """Create a container and print its id."""
    from pyd_tui.cli.containers.create_container import create_container
    from pyd_tui.cli.containers.creation_request import create_body

    state = ctx.ensure_object(State)
    try:
        options = CreateOptions(**values)
        body = create_body(options)
        created = state.run(lambda engine: create_container(engine, body, options))
    except Exception as error:  # noqa: BLE001 - as in the docker CLI, every failure exits with 125
        failures.report(error)
        return failures.exit_code(error, before_command=True)
    if state.json:
        write_json(created)
    else:
        write(f"{created.id}\n")
    return 0


command = PydCommand(
    name="create",
    callback=click.pass_context(create),
    params=[*creation_options(), *image_arguments()],
    help="Create a container from an image without starting it.",
    context_settings=CONTEXT_SETTINGS,
    examples=(
        ("pyd create --name web -p 8080:80 nginx", "create a container"),
        ("pyd start web", "start it later"),
        ("pyd create -v data:/data --memory 512m postgres", "create one with a volume and a memory limit"),
    ),
)
