"""Messages between a session's processes, and the signals they act on.

The kernel's interfaces: unix(7), signalfd(2).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct

from pyd_core.debug.syscalls import CallFailed, checked, libc

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from typing import Any

    Plan = dict[str, Any]
    """As `pyd_core.debug.plan.make_plan` makes it."""

CLIENT_GONE = signal.SIGRTMIN
FORWARDED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
HANDLED_SIGNALS = {signal.SIGCHLD, CLIENT_GONE, *FORWARDED_SIGNALS}


def report(status: socket.socket, *fields: object, descriptors: tuple[int, ...] = ()) -> None:
    """Send a report to the process above, or to the client; nothing happens when its reader is gone."""
    message = b"\0".join(str(field).encode(errors="surrogateescape") for field in fields)
    with contextlib.suppress(OSError):  # the reader is gone
        socket.send_fds(status, [message], descriptors)


def report_failure(status: socket.socket, error: Exception) -> None:
    """Report an error by its call and its number, from which the client makes a message."""
    if isinstance(error, CallFailed):
        report(status, "error", error.call, error.number, error.subject)
    elif isinstance(error, OSError):
        report(status, "error", "open", error.errno or 0, error.filename or "")
    else:
        report(status, "error", type(error).__name__, 0, error)


def signal_descriptor() -> int:
    """Return a descriptor that signals are read from; they are blocked."""
    bits = sum(1 << (number - 1) for number in HANDLED_SIGNALS)
    return checked("signalfd", libc.signalfd(-1, struct.pack("Q", bits).ljust(128, b"\0"), os.O_CLOEXEC))
