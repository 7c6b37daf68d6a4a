"""The root command, and running a command line."""

from __future__ import annotations

import os
import sys

import click

from pyd_core import __version__
from pyd_tui.cli.root import RootGroup
from pyd_tui.config.settings import THEMES, ThemeName
from pyd_tui.console.command import CONTEXT_SETTINGS, global_options
from pyd_tui.console.global_options import State
from pyd_tui.console.usage_errors import from_click


def dashboard(ctx: click.Context, *, all_contexts: bool, theme: ThemeName | None, view: str, filter: str) -> None:
    """Open the dashboard when `pyd` runs without a command on a terminal; otherwise print help."""
    if ctx.invoked_subcommand is not None:
        if theme or view or filter:
            raise click.UsageError("--theme, --view and --filter only apply to the dashboard")
        return
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        click.echo(ctx.get_help())
        return
    from pyd_tui.cli.dashboard_entry import open_dashboard

    state = ctx.ensure_object(State)
    open_dashboard(state, all_contexts=all_contexts, theme=theme, view=view, filter=filter)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"pyd {__version__}")
        ctx.exit()


root = RootGroup(
    name="pyd",
    callback=click.pass_context(dashboard),
    params=[
        *global_options(json=True),
        click.Option(["--theme"], type=click.Choice(THEMES), help="Theme of the dashboard."),
        click.Option(["--view"], default="", metavar="NAME", help="View the dashboard opens: images, events …"),
        click.Option(["--filter"], default="", metavar="WORDS", help="Filter the dashboard starts with."),
        click.Option(["--all-contexts"], is_flag=True, help="Show the engines of all docker contexts."),
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
    help="Inspect containers, find out why they died, and debug them. Without a command, pyd opens the dashboard.",
)


def invoke() -> int:
    """Run the command and return its exit code.

    Click's own `main` would end the process on a closed pipe.

    Raises:
        PydError: The command line is malformed, or the command failed.
    """
    try:
        if "_PYD_COMPLETE" in os.environ:
            root.main(prog_name="pyd", complete_var="_PYD_COMPLETE", standalone_mode=False)
        with root.make_context("pyd", sys.argv[1:]) as ctx:
            result = root.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.ClickException, click.Abort) as error:
        raise from_click(error) from error
    return result if isinstance(result, int) else 0
