"""Running a single builtin without a shell: `pyd debug NAME --builtin 'sockets --json'`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.choice import blocking_transport
from pyd_core.debug.access_factory import open_access
from pyd_core.debug.forward import BACKGROUND
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.shell.builtin_table import BUILTINS, load
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
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{error} in {line!r}".lower(), hint="close the quote") from error
    if not words or words[0] not in BUILTINS:
        raise InvalidInput(
            f"no such builtin: {safe(words[0]) if words else 'nothing'}",
            hint=f"available: {', '.join(sorted(BUILTINS))}",
        )
    command = load(words[0])
    if {"-h", "--help"} & set(words[1:]):  # needs no target
        return _call(command, words, None)
    with open_access(request, io) as access:
        name = safe(access.container.name) or access.container.id[:12]
        shell = ShellContext(
            access=access,
            engine=lambda: EngineClient(request.endpoint, blocking_transport(request.endpoint)),
            name=name,
            cwd=access.container.config.working_dir or "/",
            identity=request.options.identity,
        )
        return _call(command, words, shell)


def _call(command: click.Command, words: list[str], shell: ShellContext | None) -> int:
    code = command.main(words[1:], prog_name=words[0], obj=shell, standalone_mode=False)
    for forward in BACKGROUND.running().values():  # without a shell, wait for background jobs here
        forward.wait()
    return code if isinstance(code, int) else 0
