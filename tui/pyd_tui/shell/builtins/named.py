"""Arguments of builtins that are completed from known names: identities, packs, programs."""

from __future__ import annotations

import itertools
from typing import Any

import click

from pyd_core.errors import PydError
from pyd_core.passwd import is_id, split_rows
from pyd_tui.shell.interactive_shell import ShellContext

MAX_OFFERED = 200


class ProgramName(click.ParamType[str]):
    """A command name."""

    name = "program"


class PackName(click.ParamType[str]):
    """A pack or Debian package.

    Args:
        installed: Whether it must be installed.
    """

    name = "pack"

    def __init__(self, *, installed: bool) -> None:
        self._installed = installed

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete packs and installed packages."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        from pyd_core.debug.toolbox.selection import load_selection  # noqa: PLC0415 - only for completion
        from pyd_debugimages.packs import BASE, PACKS  # noqa: PLC0415 - only for completion

        selection = load_selection()
        offered = (
            [*selection.packs, *selection.packages]
            if self._installed
            else [*PACKS.keys() - {BASE.name, *selection.packs}]
        )
        return [
            CompletionItem(name, help=PACKS[name].summary if name in PACKS else "")
            for name in offered
            if name.startswith(incomplete)
        ]


class IdentityName(click.ParamType[str]):
    """A shell's identity: a keyword, or the numbers of a user."""

    name = "identity"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete the keywords, and the target's users as numbers."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        offered = {
            "target": "the user and rights of the main process",
            "root": "root with access to everything in the container",
            "tracer": "root that may also trace the kernel",
        }
        shell = ctx.find_object(ShellContext)
        try:
            text = shell.access.read_file("/etc/passwd", limit=1 << 20).decode(errors="replace") if shell else ""
        except PydError:
            text = ""
        for user, _, uid, gid, *_ in itertools.islice(split_rows(text, 4), MAX_OFFERED):
            if is_id(uid) and is_id(gid):
                offered.setdefault(f"{uid}:{gid}", user)
        return [CompletionItem(name, help=about) for name, about in offered.items() if name.startswith(incomplete)]
