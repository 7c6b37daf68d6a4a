"""The argument of builtins that inspect one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pyd_core.debug.inspectors.processes import find_process
from pyd_core.errors import PydError
from pyd_tui.shell.interactive_shell import ShellContext

F = TypeVar("F", bound=Callable[..., Any])


class ProcessId(click.ParamType[int]):
    """A pid in the target's numbering."""

    name = "pid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Convert a number."""
        if isinstance(value, int):
            return value
        if not (value.isascii() and value.isdigit()):
            self.fail(f"not a pid: {value!r}", param, ctx)
        return int(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Complete from the running processes."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        from pyd_core.debug.inspectors.processes import names_of  # noqa: PLC0415 - only for completion

        shell = ctx.find_object(ShellContext)
        if shell is None:
            return []
        try:
            known = names_of(shell.access, shell.access.pids()).values()
        except PydError:
            return []
        return [CompletionItem(str(pid), help=name) for pid, name in known if str(pid).startswith(incomplete)]


def pid_argument(function: F) -> F:
    """Add an optional PID argument."""
    return click.argument("pid", type=ProcessId(), required=False, metavar="[PID]")(function)


def process_of(shell: ShellContext, pid: int | None) -> int:
    """Return the access's number of a process; without a pid, of the main one."""
    return find_process(shell.access, pid)
