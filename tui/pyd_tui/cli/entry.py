"""From the command line to an exit code: the root command, and what holds for every verb."""

from __future__ import annotations

import contextlib
import gc
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
    gc.set_threshold(20_000, 20, 20)  # imports make objects by the thousand, and none of them is garbage
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
    _end(code)


def _end(code: int) -> NoReturn:
    """Flushes what was written and ends the process at once.

    Everything with an end of its own has had it by now, and taking the interpreter apart module by module would cost
    a tenth of a fast verb's time.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or failures.PIPE_CLOSED
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
