"""The rights of a process of the target: user, capabilities and confinement (capabilities(7), seccomp(2))."""

from __future__ import annotations

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.processes import id_maps
from pyd_core.debug.sessions.credentials import EVERY_ID, inside, names
from pyd_core.errors import PydError
from pyd_core.linux.process import parse_status

SECCOMP = {0: "none", 1: "strict", 2: "filter"}


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """The rights of a process; ids as the target numbers them, capabilities by name."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    effective: tuple[str, ...]
    permitted: tuple[str, ...]
    bounding: tuple[str, ...]
    inheritable: tuple[str, ...]
    ambient: tuple[str, ...]
    no_new_privileges: bool
    seccomp: str
    """`none`, `strict` or `filter`."""
    label: str = ""
    """Its AppArmor profile or SELinux label."""
    user_namespace: bool = False
    """True in a user namespace of its own, where root isn't the host's."""


def read_rights(access: Access, host_pid: int) -> Rights:
    """Return the rights of a process."""
    status = parse_status(access.proc(host_pid, "status").decode(errors="replace"))
    around = access.proc(host_pid, "uid_map").decode()
    uids, gids = id_maps(access, host_pid)
    try:
        label = access.proc(host_pid, "attr/current", limit=4096).decode(errors="replace").strip("\0\n ")
    except PydError:
        label = ""  # no such security module on this kernel
    return Rights(
        uid=inside(status.uid, uids),
        gid=inside(status.gid, gids),
        groups=tuple(inside(group, gids) for group in status.groups),
        effective=tuple(names(status.effective)),
        permitted=tuple(names(status.permitted)),
        bounding=tuple(names(status.bounding)),
        inheritable=tuple(names(status.inheritable)),
        ambient=tuple(names(status.ambient)),
        no_new_privileges=status.no_new_privileges,
        seccomp=SECCOMP.get(status.seccomp, str(status.seccomp)),
        label=label,
        user_namespace=around.split() != EVERY_ID.split(),
    )
