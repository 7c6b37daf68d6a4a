"""`pyd exec`: run a program of the container inside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

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
        ("pyd exec -it web sh", "a shell of the image, where it has one"),
        ("pyd exec web cat /etc/hosts", "one program; its exit code is passed on"),
        ("pyd exec -i db psql < dump.sql", "with input"),
        ("pyd exec -u 0 -w /tmp -e DEBUG=1 web env", "as another user, elsewhere, with a variable"),
        ("pyd debug web", "when the image has no such program"),
    ),
)
@click.argument("name", type=ContainerName("running"), metavar="CONTAINER")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENT]...")
@click.option("-i", "--interactive", is_flag=True, help="Pass standard input on.")
@click.option("-t", "--tty", is_flag=True, help="Give it a terminal; ctrl-p ctrl-q leaves it running.")
@click.option("-d", "--detach", is_flag=True, help="Leave it running in the background.")
@click.option("-u", "--user", default="", metavar="USER[:GROUP]", help="Run as this user.")
@click.option("-w", "--workdir", default="", metavar="DIRECTORY", help="Run there.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass ours on.")
@click.option("--privileged", is_flag=True, help="With all capabilities.")
@click.option("--detach-keys", default="", metavar="KEYS", help="Instead of ctrl-p,ctrl-q.")
@pass_state
def command(state: State, /, *, env: tuple[str, ...], **given: object) -> int:
    """Run a program of the container inside it, and end with its exit code."""
    from pyd_tui.cli.containers.exec_session import ExecOptions, run_exec

    options = ExecOptions(env=resolve_variables(env, os.environ), **given)  # type: ignore[arg-type]
    try:
        if options.tty and options.interactive and not sys.stdin.isatty():
            raise InvalidInput(  # noqa: TRY301 - told like every failure before the command ran
                "-t asks for a terminal, and standard input is none", hint="leave -t out when input comes from a pipe"
            )
        return state.run(lambda engine: run_exec(engine, options))
    except Exception as error:  # noqa: BLE001 - every failure of pyd's own must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


def resolve_variables(variables: Sequence[str], environ: os._Environ[str] | dict[str, str]) -> tuple[str, ...]:
    """Returns `NAME=VALUE` for each; a name alone takes the value it has here, and is left out if it has none."""
    return tuple(
        text if "=" in text else f"{text}={environ[text]}" for text in variables if "=" in text or text in environ
    )
