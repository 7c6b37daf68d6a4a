"""`pyd context`: the docker contexts, which pyd shares with the docker CLI."""

from __future__ import annotations

import os

import click

from pyd_tui.cli.columns import Cell, Column, write_table
from pyd_tui.cli.output import write, write_json
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import VerbGroup

COLUMNS = (
    Column(title="", right=True),
    Column(title="NAME"),
    Column(title="ENGINE", cut=20),
    Column(title="DESCRIPTION", cut=12, rank=1),
)


class ContextName(click.ParamType[str]):
    """The name of a docker context."""

    name = "context"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[object]:  # type: ignore[override] # noqa: ARG002
        """Completes from the files on disk."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        from pyd_core.engine.contexts import DEFAULT, Contexts  # noqa: PLC0415 - likewise

        known = [(DEFAULT, ""), *((found.name, found.url) for found in Contexts.of_user(os.environ).list())]
        return [CompletionItem(name, help=url) for name, url in known if name.startswith(incomplete)]


@click.group(
    "context",
    cls=VerbGroup,
    examples=(
        ("pyd context ls", "all of them, the current one marked"),
        ("pyd context use server", "what pyd and docker talk to from now on"),
        ("pyd --context server ps", "once"),
    ),
)
def command() -> None:
    """List docker contexts and choose the current one."""


@command.command("ls", examples=(("pyd context ls", "all of them, the current one marked"),))
@pass_state
def show(state: State, /) -> None:
    """List the contexts."""
    from pyd_core.engine.contexts import DEFAULT, Contexts  # noqa: PLC0415 - click loads this module for help too

    contexts = Contexts.of_user(os.environ)
    named = state.contexts[-1] if state.contexts else ""
    current = named or os.environ.get("DOCKER_CONTEXT") or contexts.current()
    if os.environ.get("DOCKER_HOST") and not named:
        current = DEFAULT
    rows = [
        (DEFAULT, os.environ.get("DOCKER_HOST") or "", "DOCKER_HOST, else the usual sockets"),
        *((context.name, context.url, context.description) for context in contexts.list()),
    ]
    if state.json:
        write_json(
            [
                {"name": name, "url": url, "description": description, "current": name == current}
                for name, url, description in rows
            ]
        )
        return
    write_table(
        COLUMNS,
        [
            (
                Cell("*" if name == current else ""),
                Cell(name, "bold" if name == current else ""),
                Cell(url),
                Cell(about),
            )
            for name, url, about in rows
        ],
        hide_empty=False,
    )


@command.command("use", examples=(("pyd context use server", "an engine"), ("pyd context use default", "none")))
@click.argument("name", type=ContextName())
@pass_state
def use(state: State, /, *, name: str) -> None:
    """Make a context the current one."""
    from pyd_core.engine.contexts import Contexts  # noqa: PLC0415 - click loads this module for help too

    Contexts.of_user(os.environ).use(name)
    if state.json:
        write_json({"current": name})
    else:
        write(f"{name}\n")
    if os.environ.get("DOCKER_HOST"):
        click.echo("note: DOCKER_HOST is set and goes before any context", err=True)
