"""Names of containers' control groups, as engines and runtimes build them from the containers' ids.

The agent of helper containers imports this module: it needs only the standard library.
"""

from __future__ import annotations

_PREFIXES = frozenset({"docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-"})
"""What engines put before an id. A monitor's group (`libpod-conmon-ID.scope`) isn't the container's."""


def group_named(path: str, identity: str) -> str | None:
    """Cut a group's path after the first component that is named by a container's id; None when none is.

    The component is `ID`, or as systemd names it `docker-ID.scope`; what runs inside may make groups below it. A
    component that only holds the id as a part is another container's.
    """
    parts = path.split("/")
    for index, part in enumerate(parts):
        if _is_named(part, identity):
            return "/".join(parts[: index + 1])
    return None


def is_member(cgroups: str, identity: str) -> bool:
    """Return whether a process is in a container's group of any hierarchy.

    Args:
        cgroups: The text of `/proc/PID/cgroup`.
        identity: The container's id.
    """
    fields = (line.split(":", 2) for line in cgroups.splitlines())
    return any(group_named(parts[2], identity) is not None for parts in fields if len(parts) == 3)


def _is_named(part: str, identity: str) -> bool:
    name = part.removesuffix(".scope")
    if not identity or not name.endswith(identity):
        return False
    prefix = name.removesuffix(identity)
    if not prefix or prefix in _PREFIXES:
        return True
    # A runtime without systemd takes systemd's "SLICE:PREFIX:ID" for one name.
    pieces = prefix.split(":")
    return len(pieces) == 3 and not pieces[2] and f"{pieces[1]}-" in _PREFIXES
