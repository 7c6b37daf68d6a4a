"""`pyd context inspect`."""

from __future__ import annotations

import os

import click

from pyd_core.client.contexts import DEFAULT, Contexts
from pyd_tui.cli.objects.contexts import ContextName, current_context
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command(
    "inspect", cls=PydCommand, examples=(("pyd context inspect server", "show its address and its certificates"),)
)
@click.argument("names", nargs=-1, type=ContextName(), metavar="[NAME]...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> None:
    """Show detailed information on one or more contexts; without a name, on the current one."""
    contexts = Contexts.of_user(os.environ)
    documents: list[dict[str, object]] = []
    for name in names or (current_context(state),):
        if name == DEFAULT:
            documents.append({"name": name, "url": os.environ.get("DOCKER_HOST") or "", "description": "", "tls": None})
            continue
        context = contexts.get(name)
        tls: dict[str, object] | None = None
        if context.tls is not None:
            files = {part: str(getattr(context.tls, part) or "") for part in ("ca", "cert", "key")}
            tls = {**files, "verify": context.tls.verify}
        documents.append({"name": context.name, "url": context.url, "description": context.description, "tls": tls})
    write_json(documents)
