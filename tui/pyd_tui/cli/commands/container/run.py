"""`pyd run`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.cli.commands.container.create import CONTEXT_SETTINGS
from pyd_tui.cli.containers.creation_options import RunOptions, creation_options, image_arguments
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State


def run(ctx: click.Context, /, **values: Any) -> int:
    """Create and start a container; return its exit code."""
    from pyd_tui.cli.containers.creation_request import create_body
    from pyd_tui.cli.containers.launch import launch

    state = ctx.ensure_object(State)
    try:
        options = RunOptions(**values)
        body = create_body(options)
        return state.run(lambda engine: launch(engine, body, options))
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


command = PydCommand(
    name="run",
    callback=click.pass_context(run),
    params=[
        click.Option(["-d", "--detach"], is_flag=True, help="Run the container in the background and print its id."),
        *creation_options(),
        click.Option(
            ["--sig-proxy/--no-sig-proxy"], default=True, help="Forward signals to the container.", show_default=False
        ),
        click.Option(
            ["--detach-keys"], default="", metavar="KEYS", help="Key sequence for detaching, instead of ctrl-p,ctrl-q."
        ),
        *image_arguments(),
    ],
    help="Create, start and attach to a container, and exit with its exit code.",
    context_settings=CONTEXT_SETTINGS,
    json=False,
    examples=(
        ("pyd run --rm -it debian bash", "open a shell in a new container, removed on exit"),
        ("pyd run -d --name web -p 8080:80 nginx", "run in the background, published on port 8080"),
        ("pyd run --rm -v .:/src -w /src python:3.13 pytest", "run a command on local files"),
        ("pyd run -d --restart unless-stopped --memory 512m app", "run with a memory limit and a restart policy"),
    ),
)
