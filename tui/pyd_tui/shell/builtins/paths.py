"""The argument of builtins that take a path of the target."""

from __future__ import annotations

import stat
from typing import Any

import click

from pyd_core.debug.inspectors.files import absolute
from pyd_core.errors import PydError
from pyd_tui.shell.interactive_shell import ShellContext

MAX_OFFERED = 200


class TargetPath(click.ParamType[str]):
    """A path of the target, relative to the shell's working directory if it isn't absolute."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete from the target's files."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        shell = ctx.find_object(ShellContext)
        if shell is None:
            return []
        directory, slash, prefix = incomplete.rpartition("/")
        try:
            entries = shell.access.list(absolute(directory + slash, shell.cwd))
        except PydError:
            return []
        names = sorted((entry.name, stat.S_ISDIR(entry.mode)) for entry in entries if entry.name.startswith(prefix))
        return [
            CompletionItem(f"{directory}{slash}{name}{'/' * is_directory}")
            for name, is_directory in names[:MAX_OFFERED]
        ]
