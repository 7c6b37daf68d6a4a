"""The argument of builtins that take a path of the target."""

from __future__ import annotations

import stat
from typing import Any

import click

from pyd_core.debug.inspectors.files import absolute
from pyd_core.errors import PydError
from pyd_tui.shell.interactive_shell import ShellContext

MOST_OFFERED = 200


class TargetPath(click.ParamType[str]):
    """A path of the target's, relative to the shell's folder if it isn't absolute."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete from the target's files."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        shell = ctx.find_object(ShellContext)
        if shell is None:
            return []
        folder, slash, begun = incomplete.rpartition("/")
        try:
            found = shell.access.list(absolute(folder + slash, shell.cwd))
        except PydError:
            return []
        names = sorted((one.name, stat.S_ISDIR(one.mode)) for one in found if one.name.startswith(begun))
        return [CompletionItem(f"{folder}{slash}{name}{'/' * ends}") for name, ends in names[:MOST_OFFERED]]
