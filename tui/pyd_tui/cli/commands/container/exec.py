"""`pyd exec`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from pyd_core.errors import InvalidInput
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console import failures
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "exec",
    cls=PydCommand,
    json=False,
    context_settings={"allow_interspersed_args": False},
    examples=(
        ("pyd exec -it web sh", "open the image's shell, if it has one"),
        ("pyd exec web cat /etc/hosts", "run a command and exit with its exit code"),
        ("pyd exec -i db psql < dump.sql", "run a command with input"),
        ("pyd exec -u 0 -w /tmp -e DEBUG=1 web env", "as another user, in another directory, with a variable"),
        ("pyd debug web", "for images without a shell"),
    ),
)
@click.argument("name", type=ContainerName("running"), metavar="CONTAINER")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENT]...")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input.")
@click.option("-t", "--tty", is_flag=True, help="Allocate a terminal; ctrl-p ctrl-q detaches.")
@click.option("-d", "--detach", is_flag=True, help="Run the command in the background.")
@click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="User to run as.")
@click.option("-w", "--workdir", default="", metavar="DIRECTORY", help="Working directory.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass on the current one.")
@click.option("--privileged", is_flag=True, help="Grant all capabilities.")
@click.option("--detach-keys", default="", metavar="KEYS", help="Key sequence for detaching, instead of ctrl-p,ctrl-q.")
@pass_state
def command(state: State, /, *, env: tuple[str, ...], **values: Any) -> int:
    """Run a command in a running container, and exit with its exit code."""
    from pyd_tui.cli.containers.exec_session import ExecOptions, run_exec

    options = ExecOptions(env=resolve_variables(env, os.environ), **values)
    try:
        if options.tty and options.interactive and not sys.stdin.isatty():
            raise InvalidInput(  # noqa: TRY301 - reported like every failure before the command ran
                "-t needs a terminal, and standard input isn't one", hint="omit -t when input comes from a pipe"
            )
        return state.run_provider(lambda engine: run_exec(engine, options))
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


def resolve_variables(variables: Sequence[str], environ: os._Environ[str] | dict[str, str]) -> tuple[str, ...]:
    """Return `NAME=VALUE` for each variable; a bare name takes its current value, and is dropped if it has none."""
    return tuple(
        text if "=" in text else f"{text}={environ[text]}" for text in variables if "=" in text or text in environ
    )
