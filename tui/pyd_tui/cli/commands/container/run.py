"""`pyd run`: make a container, start it and take part in it."""

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
        click.Option(["-d", "--detach"], is_flag=True, help="Leave it running in the background and print its id."),
        *creation_options(),
        click.Option(["--sig-proxy/--no-sig-proxy"], default=True, help="Pass signals on to it.", show_default=False),
        click.Option(["--detach-keys"], default="", metavar="KEYS", help="Instead of ctrl-p,ctrl-q."),
        *image_arguments(),
    ],
    help="Make a container from an image, start it, and end with its exit code.",
    context_settings=CONTEXT_SETTINGS,
    json=False,
    examples=(
        ("pyd run --rm -it debian bash", "a shell in a new container, gone when it ends"),
        ("pyd run -d --name web -p 8080:80 nginx", "in the background, reachable on port 8080"),
        ("pyd run --rm -v .:/src -w /src python:3.13 pytest", "a program on the files here"),
        ("pyd run -d --restart unless-stopped --memory 512m app", "with a limit, started again when it ends"),
    ),
)
