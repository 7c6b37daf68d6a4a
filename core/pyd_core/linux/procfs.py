"""Data in /proc about a process's network and this process's descriptors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class NetworkCounters(NamedTuple):
    """Bytes since the namespace was made, over all interfaces but the loopback."""

    received: int
    sent: int


def shares_network(pid: int, root: Path = Path("/")) -> bool | None:
    """Return whether a process has the same network namespace as this one; None if it is gone."""
    try:
        theirs, ours = ((root / f"proc/{process}/ns/net").stat() for process in (pid, "self"))
    except OSError:
        return None
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def mount_id(fd: int) -> int:
    """Return the mount id of a descriptor of this process (`mnt_id` of `/proc/PID/fdinfo/FD`)."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines())
    return int(fields["mnt_id"])


def read_network(pid: int, root: Path = Path("/")) -> NetworkCounters | None:
    """Read the traffic of a process's network namespace, whosever it is; None when the process is gone.

    Format: `/proc/PID/net/dev`, proc_pid_net(5). The file isn't kept open: that would keep the namespace alive.
    """
    try:
        handle = os.open(f"{root}/proc/{pid}/net/dev", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(handle, 1 << 16)
    except OSError:
        return None
    finally:
        os.close(handle)
    received = sent = 0
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(b":")
        fields = rest.split()
        if name.strip() != b"lo" and len(fields) >= 9 and fields[0].isdigit() and fields[8].isdigit():
            received += int(fields[0])
            sent += int(fields[8])
    return NetworkCounters(received, sent)
