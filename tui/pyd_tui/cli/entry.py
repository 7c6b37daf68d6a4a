"""From the command line to an exit code: the root command, and what holds for every verb."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

import click

from pyd_tui.cli import failures
from pyd_tui.cli.state import State
from pyd_tui.cli.verb import CONTEXT_SETTINGS, Root, global_options


def dashboard(ctx: click.Context, **_: object) -> None:
    """Opens the dashboard when `pyd` is called without a verb on a terminal; else prints help."""
    if ctx.invoked_subcommand is not None:
        return
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        click.echo(ctx.get_help())
        return
    from pyd_tui.cli.dashboard import open_dashboard  # noqa: PLC0415 - textual is heavy

    open_dashboard(ctx.ensure_object(State))


root = Root(
    name="pyd",
    callback=click.pass_context(dashboard),
    params=global_options(json=True),
    invoke_without_command=True,
    context_settings=CONTEXT_SETTINGS,
    help="Containers: see them, understand why they died, enter any of them. Without a command: the dashboard.",
)


def run() -> NoReturn:
    """Runs the command line and ends the process; no traceback ever reaches the user."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # not a text file, where a test put something else
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    code = 0
    try:
        result = root.main(prog_name="pyd", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else failures.FAILED
    except BaseException as error:  # noqa: BLE001 - the last handler there is
        failures.report(error)
        code = failures.exit_code(error)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """Flushes stdout; when its reader is gone, keeps the interpreter from complaining about that at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or failures.PIPE_CLOSED
    return code
