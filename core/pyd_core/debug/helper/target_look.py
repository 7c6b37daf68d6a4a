"""The agent's look at the target: its process, and the facts that a plan is made from.

Like all of the agent it needs only the standard library.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
from typing import Any

from pyd_core.debug.confine import read_status, start_time
from pyd_core.debug.syscalls import CallFailed, open_beneath
from pyd_core.linux.cgroup_names import is_member

TOOLBOX = "/toolbox"
"""Where the toolbox lies in the helper's image; see `pyd_core.debug.helper`, which isn't sent to it."""
_IN_ROOT, _NO_MAGICLINKS = 0x10, 0x02
_MAX_PASSWD_BYTES = 1 << 20


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Find the target's process and return what a plan is made from.

    Args:
        request: `pid`, the process by its number here, 0 if not known; `id`, the container's; `init`, whether its first
            process is an init of the engine's; `paths`, absolute ones of the target; `tools`, ones of the
            toolbox.
    """
    pid = request["pid"] or _member(request["id"])
    if request["init"]:
        pid = _first_child(pid)
    process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    started = start_time(process)
    read = {name: read_status(process, name) for name in ("status", "uid_map", "gid_map")}
    with contextlib.suppress(OSError):
        os.symlink(f"/proc/{pid}/root", "/dev/.target")
    root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    own = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    namespaces = [
        kind
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
        if os.path.exists(f"/proc/self/ns/{kind}")
        and os.stat(f"ns/{kind}", dir_fd=process).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino
    ]
    if "user" not in namespaces:
        # The maps are then relative to the namespace around this one, and the status has the target's own ids.
        read |= dict.fromkeys(("uid_map", "gid_map"), "0 0 4294967295\n")
    facts = {
        "pid": pid,
        "start": started,
        "own": read_status(own, "status"),
        "passwd": base64.b64encode(_passwd(root)).decode(),
        "exists": [path for path in request["paths"] if _exists(root, path)],
        "tools": [name for name in request["tools"] if os.path.exists(f"{TOOLBOX}/{name}")],
        "namespaces": namespaces,
        **read,
    }
    for descriptor in (process, root, own):
        os.close(descriptor)
    return facts


def _member(container: str) -> int:
    """Return the oldest process whose cgroup is named by the container's id."""
    members: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, CallFailed, IndexError, ValueError):
            process = os.open(f"/proc/{name}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if is_member(read_status(process, "cgroup"), container):
                    members.append((start_time(process), int(name)))
            finally:
                os.close(process)
    if not members:
        raise CallFailed("look", errno.ESRCH, "the target's processes")
    return min(members)[1]


def _first_child(pid: int) -> int:
    """Return the program an init was given to run; the init while it has none."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])
    return pid


def _exists(root: int, path: str) -> bool:
    try:
        os.close(open_beneath(root, path.lstrip("/"), os.O_PATH | os.O_NOFOLLOW, _IN_ROOT | _NO_MAGICLINKS))
    except CallFailed:
        return False
    return True


def _passwd(root: int) -> bytes:
    """Return the target's passwd file; whatever links lead there, they stay inside its root."""
    try:
        descriptor = open_beneath(root, "etc/passwd", os.O_RDONLY | os.O_NONBLOCK, _IN_ROOT | _NO_MAGICLINKS)
    except CallFailed:
        return b""
    try:
        return os.read(descriptor, _MAX_PASSWD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
