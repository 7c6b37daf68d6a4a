"""Running a single builtin without a shell: `pyd debug NAME --builtin 'sockets --json'`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pyd_core.debug.access import Access
from pyd_core.debug.access_factory import open_access
from pyd_core.debug.forward import BACKGROUND
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.shell.builtin_table import BUILTINS, load
from pyd_tui.shell.client import client_of
from pyd_tui.shell.interactive_shell import ShellContext

if TYPE_CHECKING:
    import click

    from pyd_core.debug.user_io import UserIO


def run_once(request: SessionRequest, line: str, io: UserIO) -> int:
    """Run a line that calls a builtin, and return its exit code.

    Raises:
        InvalidInput: No such builtin, or an open quote.
        PydError: The target can't be reached, or the builtin failed.
        click.UsageError: Its arguments are invalid.
    """
    words = _words(line)
    if {"-h", "--help"} & set(words[1:]):  # needs no target
        return _call(load(words[0]), words, None)
    with open_access(request, io) as access:
        return _run(request, words, access)


def run_line(request: SessionRequest, line: str, access: Access) -> int:
    """Run a line that calls a builtin on a target that is open already, and return its exit code.

    Raises:
        PydError: The builtin failed.
    """
    return _run(request, _words(line), access)


def _run(request: SessionRequest, words: list[str], access: Access) -> int:
    shell = ShellContext(
        access=access,
        engine=lambda: client_of(request.endpoint),
        name=safe(access.container.name) or access.container.id[:12],
        cwd=access.container.config.working_dir or "/",
        identity=request.options.identity,
    )
    return _call(load(words[0]), words, shell)


def _words(line: str) -> list[str]:
    """Return the words of a line that calls a builtin."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{error} in {line!r}".lower(), hint="close the quote") from error
    if not words or words[0] not in BUILTINS:
        raise InvalidInput(
            f"no such builtin: {safe(words[0]) if words else 'nothing'}",
            hint=f"available: {', '.join(sorted(BUILTINS))}",
        )
    return words


def _call(command: click.Command, words: list[str], shell: ShellContext | None) -> int:
    code = command.main(words[1:], prog_name=words[0], obj=shell, standalone_mode=False)
    for forward in BACKGROUND.running().values():  # without a shell, wait for background jobs here
        forward.wait()
    return code if isinstance(code, int) else 0
