"""Docker contexts: completion of their names, and the current one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pyd_tui.console.global_options import State


class ContextName(click.ParamType[str]):
    """The name of a docker context."""

    name = "context"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete names from the files on disk."""
        from click.shell_completion import CompletionItem

        from pyd_core.client.contexts import DEFAULT, Contexts

        names = [(DEFAULT, ""), *((context.name, context.url) for context in Contexts.of_user(os.environ).list())]
        return [CompletionItem(name, help=url) for name, url in names if name.startswith(incomplete)]


def current_context(state: State) -> str:
    """Return the name of the context in use: of `--context`, the environment, or docker's config file."""
    from pyd_core.client.contexts import DEFAULT, Contexts

    if state.contexts:
        return state.contexts[-1]
    if os.environ.get("DOCKER_HOST"):
        return DEFAULT
    return os.environ.get("DOCKER_CONTEXT") or Contexts.of_user(os.environ).current()
