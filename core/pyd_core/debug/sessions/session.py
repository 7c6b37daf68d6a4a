"""A debug session, from the target's name to the command's exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.resolve import open_engine, resolve
from pyd_core.debug.sessions.local_session import run_in_target
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import LocalTarget, NetworkTarget, RemoteTarget, StoppedTarget
from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.debug.user_io import UserIO


def run(request: SessionRequest, supervisor: Supervisor, io: UserIO) -> int:
    """Run a session on this process's descriptors 0 to 2; return the command's exit code, 128 + n for signal n.

    Args:
        request: The engine, and what to do.
        supervisor: Waits for its plan; the caller closes it.
        io: Shows how the session starts on a terminal, and how the target ended.

    Raises:
        PydError: The session failed; nothing is left of it.
    """
    with open_engine(request.endpoint) as engine:
        return _run(engine, request, supervisor, io)


def _run(engine: ApiClient, request: SessionRequest, supervisor: Supervisor, io: UserIO) -> int:
    target = resolve(engine, request)
    match target:
        case NetworkTarget():
            from pyd_core.debug.network_member import join_network  # noqa: PLC0415 - few sessions need it

            with join_network(engine, target) as container:
                options = msgspec.structs.replace(request.options, target=container.id)
                return _run(engine, msgspec.structs.replace(request, options=options), supervisor, io)
        case RemoteTarget():
            from pyd_core.debug.helper import session as helper  # noqa: PLC0415 - local targets don't need it

            return helper.run(engine, request, target, supervisor, io)
        case StoppedTarget():
            from pyd_core.debug.stopped import session as stopped  # noqa: PLC0415 - running containers don't need it

            return stopped.run(engine, request, target.container, supervisor, io)
        case LocalTarget():
            return _run_local(engine, request, target, supervisor, io)


def _run_local(
    engine: ApiClient, request: SessionRequest, target: LocalTarget, supervisor: Supervisor, io: UserIO
) -> int:
    options = request.options
    if options.keeps_changes:
        raise InvalidInput(
            f"{safe(options.target)} runs: a session changes it in place", hint="leave out --diff, --apply and --save"
        )
    toolbox = find_toolbox(io.progress)
    if os.isatty(0) and os.isatty(1):
        io.notify(f"in {target.name}: you see the container's files; tools are in {PREFIX} and vanish on exit")
    code, ended = run_in_target(target, request, toolbox, supervisor, io)
    if ended and request.interact is None:
        from pyd_core.client.containers import ContainersApi  # noqa: PLC0415 - only now
        from pyd_core.debug.target_exit import describe_exit  # noqa: PLC0415 - only now

        io.notify(run_now(describe_exit(ContainersApi(engine), target)))
    return code
