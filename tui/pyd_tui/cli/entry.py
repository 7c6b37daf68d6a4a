"""From the command line to an exit code: the root command, and what holds for every verb."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import NoReturn

import click

from pyd_core import __version__
from pyd_tui.cli import failures
from pyd_tui.cli.state import State
from pyd_tui.cli.verb import CONTEXT_SETTINGS, Root, global_options
from pyd_tui.config.settings import THEMES, ThemeName


def dashboard(ctx: click.Context, *, all_contexts: bool, theme: ThemeName | None, view: str, filter: str) -> None:
    """Opens the dashboard when `pyd` is called without a verb on a terminal; else prints help."""
    if ctx.invoked_subcommand is not None:
        if theme or view or filter:
            raise click.UsageError("--theme, --view and --filter are for the dashboard alone")
        return
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        click.echo(ctx.get_help())
        return
    from pyd_tui.cli.dashboard import open_dashboard  # noqa: PLC0415 - textual is heavy

    state = ctx.ensure_object(State)
    open_dashboard(state, all_contexts=all_contexts, theme=theme, view=view, filter=filter)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"pyd {__version__}")
        ctx.exit()


root = Root(
    name="pyd",
    callback=click.pass_context(dashboard),
    params=[
        *global_options(json=True),
        click.Option(["--theme"], type=click.Choice(THEMES), help="The dashboard's colours."),
        click.Option(["--view"], default="", metavar="NAME", help="The view the dashboard opens: images, events …"),
        click.Option(["--filter"], default="", metavar="WORDS", help="The filter the dashboard begins with."),
        click.Option(["--all-contexts"], is_flag=True, help="Look at the engines of all docker contexts."),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show pyd's version and exit.",
        ),
    ],
    invoke_without_command=True,
    context_settings=CONTEXT_SETTINGS,
    help="See containers, understand why they died, enter any of them. Alone, pyd opens the dashboard.",
)


def run() -> NoReturn:
    """Runs the command line and ends the process; no traceback ever reaches the user."""
    _open_streams()
    code = 0
    try:
        code = _invoke()
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else failures.FAILED
    except BaseException as error:  # noqa: BLE001 - the last handler there is
        failures.report(error)
        code = failures.exit_code(error)
        if isinstance(error, KeyboardInterrupt) and sys.stderr.isatty():
            sys.stderr.write("\n")  # the terminal has echoed ^C, and the prompt comes next
    _end(code)


def _open_streams() -> None:
    """Makes the standard streams usable whatever the caller left of them, so that no write can fail for its text."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller; a file opened later must not become it
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor, which is this one
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))
        elif isinstance(stream, io.TextIOWrapper) and fd:
            stream.reconfigure(errors="replace")


def _invoke() -> int:
    """Runs the verb and returns its exit code; click's own `main` would end the process on a closed pipe by itself."""
    if "_PYD_COMPLETE" in os.environ:
        root.main(prog_name="pyd", complete_var="_PYD_COMPLETE", standalone_mode=False)
    try:
        with root.make_context("pyd", sys.argv[1:]) as ctx:
            result = root.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    return result if isinstance(result, int) else 0


def _end(code: int) -> NoReturn:
    """Flushes what was written and ends the process at once.

    Everything with an end of its own has had it by now, and taking the interpreter apart module by module would cost
    a tenth of a fast verb's time.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or failures.exit_code(error)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
