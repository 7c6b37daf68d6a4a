"""Arguments of builtins that name something known: an identity, a pack, a program."""

from __future__ import annotations

import itertools
from typing import Any

import click

from pyd_core.errors import PydError
from pyd_core.passwd import is_id, split_rows
from pyd_tui.shell.interactive_shell import ShellContext

MOST_OFFERED = 200


class ProgramName(click.ParamType[str]):
    """Whatever may stand first on a line."""

    name = "program"


class PackName(click.ParamType[str]):
    """A pack or Debian package.

    Args:
        installed: Whether one is meant that sessions have.
    """

    name = "pack"

    def __init__(self, *, installed: bool) -> None:
        self._installed = installed

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete from the packs; of packages, those that are installed."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        from pyd_core.debug.toolbox.selection import load_selection  # noqa: PLC0415 - likewise
        from pyd_debugimages.packs import BASE, PACKS  # noqa: PLC0415 - likewise

        now = load_selection()
        offered = [*now.packs, *now.packages] if self._installed else [*PACKS.keys() - {BASE.name, *now.packs}]
        return [
            CompletionItem(name, help=PACKS[name].summary if name in PACKS else "")
            for name in offered
            if name.startswith(incomplete)
        ]


class IdentityName(click.ParamType[str]):
    """Who a shell is: a word, or the numbers of a user."""

    name = "identity"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete the words, and the target's users as numbers."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        offered = {
            "target": "the user and rights of the main process",
            "root": "who may look at all of the container",
            "tracer": "a root that may trace the kernel too",
        }
        shell = ctx.find_object(ShellContext)
        try:
            text = shell.access.read_file("/etc/passwd", limit=1 << 20).decode(errors="replace") if shell else ""
        except PydError:
            text = ""
        for user, _, uid, gid, *_ in itertools.islice(split_rows(text, 4), MOST_OFFERED):
            if is_id(uid) and is_id(gid):
                offered.setdefault(f"{uid}:{gid}", user)
        return [CompletionItem(name, help=about) for name, about in offered.items() if name.startswith(incomplete)]
