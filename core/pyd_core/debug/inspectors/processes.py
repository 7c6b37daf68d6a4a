"""The target's processes (proc_pid_stat(5), proc_pid_status(5))."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.sessions.credentials import EVERY_ID, inside
from pyd_core.errors import Conflict, NotFound, PydError
from pyd_core.sanitise import safe

STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a device",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "I": "idle",
    "X": "dead",
}


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A process."""

    pid: int
    """As the target numbers it."""
    host_pid: int
    """As the machine of the access numbers it."""
    parent: int
    """The target's pid of its parent; 0 when that is outside."""
    depth: int = 0
    """Its depth in the tree of the target's processes."""
    name: str
    command: str
    state: str
    uid: int
    """As the target numbers it."""
    threads: int
    memory: int
    """Resident set, bytes."""
    cpu_seconds: float
    descriptors: int | None
    """Open files; None where they can't be counted."""


def require_running(access: Access) -> None:
    """Require a running target; one on a stage has only the process that holds its place.

    Raises:
        Conflict: It doesn't run.
    """
    container = access.container
    if container.id and not container.state.pid:
        raise Conflict(
            f"{safe(container.name) or container.id[:12]} doesn't run: it has no processes",
            hint="why it ended: why; what it would start: entrypoint",
            reference="not-running",
        )


def list_processes(access: Access) -> list[ProcessFacts]:
    """Return the target's processes, each after its parent.

    Raises:
        Conflict: It doesn't run.
    """
    require_running(access)
    processes: list[ProcessFacts] = []
    parents: dict[int, int] = {}
    uids, _ = id_maps(access, access.main_pid)
    for host_pid in access.pids():
        try:
            facts, parent = _read(access, host_pid, uids)
        except (PydError, ValueError, IndexError):
            continue  # it ended meanwhile
        processes.append(facts)
        parents[host_pid] = parent
    return _as_tree(processes, parents)


def find_process(access: Access, pid: int | None) -> int:
    """Return the number that `Access` knows a process by.

    Args:
        access: The target.
        pid: As the target numbers it; None is its main process.

    Raises:
        NotFound: The target has none with that number.
        Conflict: It doesn't run.
    """
    require_running(access)
    if pid is None:
        return access.main_pid
    for host_pid in access.pids():
        try:
            if target_pid(access.proc(host_pid, "status"), host_pid) == pid:
                return host_pid
        except NotFound:
            continue
    raise NotFound(f"no process {pid} in the container", hint="list them with: ps", reference="no-such-process")


def target_pid(status: bytes, host_pid: int) -> int:
    """Return a process's number in its own pid namespace, the last of `NSpid`."""
    for line in status.splitlines():
        if line.startswith(b"NSpid:"):
            return int(line.split()[-1])
    return host_pid


def command_line(access: Access, host_pid: int) -> list[str]:
    """Return a process's arguments; none for a zombie or a thread of the kernel's."""
    data = access.proc(host_pid, "cmdline", limit=1 << 16)
    return [part.decode(errors="replace") for part in data.rstrip(b"\0").split(b"\0")] if data else []


def id_maps(access: Access, host_pid: int) -> tuple[str, str]:
    """Return the maps by which `inside` translates the ids in `/proc` of a process to the target's."""
    if not access.maps_ids:
        return EVERY_ID, EVERY_ID
    uids, gids = (access.proc(host_pid, f"{kind}_map").decode() for kind in ("uid", "gid"))
    return uids, gids


def _read(access: Access, host_pid: int, uids: str) -> tuple[ProcessFacts, int]:
    text = access.proc(host_pid, "stat").decode(errors="replace")
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    status = access.proc(host_pid, "status")
    uid = next((int(line.split()[2]) for line in status.splitlines() if line.startswith(b"Uid:")), 0)
    try:
        descriptors: int | None = len(access.proc_names(host_pid, "fd"))
    except PydError:
        descriptors = None
    name = head.partition("(")[2]
    facts = ProcessFacts(
        pid=target_pid(status, host_pid),
        host_pid=host_pid,
        parent=0,
        name=name,
        command=" ".join(command_line(access, host_pid)) or f"[{name}]",
        state=STATES.get(fields[0], fields[0]),
        uid=inside(uid, uids),
        threads=int(fields[17]),
        memory=int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        descriptors=descriptors,
    )
    return facts, int(fields[1])


def _as_tree(processes: Sequence[ProcessFacts], parents: dict[int, int]) -> list[ProcessFacts]:
    known = {facts.host_pid: facts for facts in processes}
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    for facts in sorted(processes, key=lambda process: process.pid):
        above = parents[facts.host_pid]
        (children.setdefault(above, []) if above in known else roots).append(facts.host_pid)
    ordered: list[ProcessFacts] = []
    stack = [(host_pid, 0) for host_pid in reversed(roots)]
    while stack:
        host_pid, depth = stack.pop()
        parent = known.get(parents[host_pid])
        ordered.append(
            msgspec.structs.replace(known[host_pid], depth=depth, parent=parent.pid if parent is not None else 0)
        )
        stack += [(child, depth + 1) for child in reversed(children.get(host_pid, []))]
    return ordered


def names_of(access: Access, host_pids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return the target's number and the name of processes; those that are gone are left out."""
    names: dict[int, tuple[int, str]] = {}
    for host_pid in host_pids:
        try:
            status = access.proc(host_pid, "status")
            name = access.proc(host_pid, "comm").decode(errors="replace").rstrip("\n")
        except PydError:
            continue
        names[host_pid] = target_pid(status, host_pid), name
    return names
