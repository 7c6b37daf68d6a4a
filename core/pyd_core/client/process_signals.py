"""Signals to single processes of a container: the Engine API knows the main one alone."""

from __future__ import annotations

import os
import signal as signals
from typing import TYPE_CHECKING

from pyd_core.errors import Conflict, InvalidInput, NotFound, Refused, Unsupported
from pyd_core.linux.cgroup_stats import read_groups
from pyd_core.linux.pidns import namespace_members
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

HINT = "D opens a debug shell, which has kill"


def signal_number(name: str) -> signals.Signals:
    """Read a signal's name, with or without SIG, or its number.

    Raises:
        InvalidInput: There is none such.
    """
    plain = name.strip().upper().removeprefix("SIG")
    try:
        return signals.Signals(int(plain)) if plain.isdecimal() else signals.Signals[f"SIG{plain}"]
    except (KeyError, ValueError):
        said = safe(name) or "without a name"
        raise InvalidInput(f"there is no signal {said}", hint="write TERM, KILL, HUP or a number") from None


async def signal_process(engine: EngineClient, container: str, pid: int, signal: str) -> None:
    """Send a signal to one process of a container.

    The main process gets it from the engine, others from here, if the engine runs on this machine. A process is held by
    a descriptor before it is looked at, so that a later one with the same pid is never meant; and it must belong to the
    container, whatever the engine told.

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
    engine.session.require_changes()
    found = await engine.containers.inspect(container)
    main = found.state.pid
    if not main:
        raise Conflict(f"{safe(found.name)} doesn't run")
    if pid == main:
        await engine.containers.kill(container, signal=number.name.removeprefix("SIG"))
        return
    if not engine.endpoint.is_local or not _is_of(main, found.id):
        raise Unsupported("the engine takes signals for the main process alone", hint=HINT)
    _send(main, pid, number)


def _is_of(pid: int, container: str) -> bool:
    """Whether this machine's process is the one the engine means: a unix socket may lead to another machine."""
    groups = read_groups(pid)
    return groups is not None and any(container in group for group in groups.values())


def _send(main: int, pid: int, number: signals.Signals) -> None:
    try:
        process = os.pidfd_open(pid)
    except OSError as error:
        raise NotFound(f"no process {pid} is there any more", hint="^r asks again") from error
    try:
        if pid not in namespace_members(main):
            raise NotFound(f"process {pid} isn't one of this container's", hint=HINT)
        signals.pidfd_send_signal(process, number)
    except ProcessLookupError as error:
        raise NotFound(f"no process {pid} is there any more", hint="^r asks again") from error
    except PermissionError as error:
        raise Refused(f"not allowed to send a signal to {pid}", hint=HINT) from error
    finally:
        os.close(process)
