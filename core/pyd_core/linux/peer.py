"""The listening process of a unix socket (`SO_PEERCRED`, unix(7))."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

CONNECT_TIMEOUT_S = 1.0
"""Maximum wait for a full queue of connections."""

_CREDENTIALS = struct.Struct("iII")
"""`struct ucred` of sys/socket.h: pid, uid, gid."""


def listener_pid(path: Path) -> int | None:
    """Return the process that called listen(2), by this process's numbering; None where it can't be seen.

    With socket activation that is the service manager, process 1.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(str(path))
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return None
    return _CREDENTIALS.unpack(credentials)[0] or None
