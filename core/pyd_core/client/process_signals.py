"""Signals to single processes of a container; the Engine API only reaches the main one."""

from __future__ import annotations

import os
import signal as signals
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_core.errors import Conflict, InvalidInput, NotFound, Refused, Unsupported
from pyd_core.linux.cgroup_stats import read_groups
from pyd_core.linux.pidns import namespace_members
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

HINT = "D opens a debug shell, which has kill"


def signal_number(name: str) -> signals.Signals:
    """Parse a signal's name, with or without SIG, or its number.

    Raises:
        InvalidInput: There is no such signal.
    """
    plain = name.strip().upper().removeprefix("SIG")
    try:
        return signals.Signals(int(plain)) if plain.isdecimal() else signals.Signals[f"SIG{plain}"]
    except (KeyError, ValueError):
        label = safe(name) or "without a name"
        raise InvalidInput(f"there is no signal {label}", hint="write TERM, KILL, HUP or a number") from None


async def signal_process(engine: Provider, container: str, pid: int, signal: str) -> None:
    """Send a signal to one process of a container.

    The engine signals the main process; other processes are signalled from here, if the engine runs on this machine. A
    process is opened by descriptor before it is checked, so that a later one with the same pid is never signalled. It
    must belong to the container, whatever the engine reported.

    Args:
        engine: The container's engine.
        container: The container's id.
        pid: As this machine numbers it, which is how Docker Engine's `top` does.
        signal: `TERM`, `SIGTERM` or `15`.

    Raises:
        Conflict: The container doesn't run.
        InvalidInput: There is no such signal.
        NotFound: No such process is in the container.
        Refused: Changes aren't allowed, or not to this user.
        Unsupported: The engine's processes are out of reach.
    """
    number = signal_number(signal)
    engine.endpoint.require_writable()
    inspected = await engine.containers.inspect(container)
    main_pid = inspected.state.pid
    if not main_pid:
        raise Conflict(f"{safe(inspected.name)} doesn't run")
    if pid == main_pid:
        await engine_of(engine).containers.kill(container, signal=number.name.removeprefix("SIG"))
        return
    if not engine.endpoint.is_local or not _belongs_to(main_pid, inspected.id):
        raise Unsupported("the engine can only signal the main process", hint=HINT)
    _send_signal(main_pid, pid, number)


def _belongs_to(pid: int, container: str) -> bool:
    """Return whether a process of this machine is the container's: a unix socket may lead to another machine."""
    groups = read_groups(pid)
    return groups is not None and any(container in group for group in groups.values())


def _send_signal(main_pid: int, pid: int, number: signals.Signals) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        raise NotFound(f"process {pid} has ended", hint="^r refreshes the list") from error
    try:
        if pid not in namespace_members(main_pid):
            raise NotFound(f"process {pid} isn't one of this container's", hint=HINT)
        signals.pidfd_send_signal(pidfd, number)
    except ProcessLookupError as error:
        raise NotFound(f"process {pid} has ended", hint="^r refreshes the list") from error
    except PermissionError as error:
        raise Refused(f"not allowed to send a signal to {pid}", hint=HINT) from error
    finally:
        os.close(pidfd)
