"""Ids and capabilities of a session's command."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from pyd_core.errors import InvalidInput, Refused
from pyd_core.linux.process import Status

CAPABILITIES = (
    *("chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
    *("linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner"),
    *("sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice"),
    *("sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap"),
    *("mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf"),
    "checkpoint_restore",
)
"""Names by bit number (capabilities(7), linux/capability.h)."""


def mask(*names: str) -> int:
    """Return the bit mask of capabilities by name."""
    return sum(1 << CAPABILITIES.index(name) for name in names)


def names(bits: int) -> list[str]:
    """Return the names in a bit mask; a bit newer than this list by its number."""
    known = range(64)
    return [CAPABILITIES[bit] if bit < len(CAPABILITIES) else str(bit) for bit in known if bits >> bit & 1]


DEBUGGER = mask(
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service"),
    *(
        "net_admin",
        "net_raw",
        "ipc_lock",
        "ipc_owner",
        "sys_chroot",
        "sys_ptrace",
        "sys_nice",
        "audit_write",
        "setfcap",
    ),
)
"""What root may do in a session: read, change, signal, trace and capture everything of the target's. Nothing that
reaches beyond it: no loading of modules, no mounting, no making of device nodes, no opening of files by their handle
(CAP_DAC_READ_SEARCH), which works for every file of a file system that any mount shows. The target's own programs come
first on PATH, so what root holds here is what a hostile target could come to hold."""

WITHHELD = {
    "pid": mask("kill", "sys_nice", "sys_ptrace"),
    "net": mask("net_admin", "net_raw"),
    "ipc": mask("ipc_owner"),
}
"""What root may do by default only where the target has this namespace to itself: where it has the host's, these are
rights over the host's processes, network and shared memory. `--cap-add` asks for them."""

TRACER = DEBUGGER | mask("bpf", "perfmon", "syslog")
"""What root may do where that was asked for by name: load BPF programs too, sample every processor, and read the
kernel's symbols and log. Who may do so can read all of the machine's memory. What takes CAP_SYS_ADMIN, such as listing
the programs that others have loaded, stays refused."""


class ProcessCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Ids inside the target's user namespace, and capability masks, as `join.take_credentials` takes them."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    bounding: int
    permitted: int
    effective: int
    inheritable: int
    ambient: int
    no_new_privileges: bool

    def within(self, granted: int) -> ProcessCredentials:
        """Return them without the capabilities that the granting process lacks."""
        sets = ("bounding", "permitted", "effective", "inheritable", "ambient")
        return msgspec.structs.replace(self, **{name: getattr(self, name) & granted for name in sets})

    def plan(self) -> dict[str, Any]:
        """Return them as plain data."""
        return msgspec.structs.asdict(self)


def choose_credentials(
    identity: str,
    target: Status,
    *,
    uid_map: str,
    gid_map: str,
    own_bounding: int,
    shared: Collection[str] = (),
    added: Sequence[str] = (),
) -> ProcessCredentials:
    """Return the credentials for `--as IDENTITY`.

    Args:
        identity: `root`, `tracer`, `target` or `UID[:GID]`.
        target: The target's main process, with ids as this process sees them.
        uid_map: The main process's `/proc/PID/uid_map`.
        gid_map: Its `gid_map`.
        own_bounding: The capabilities that this process may grant.
        shared: Namespaces of the target that are the host's, as `/proc/PID/ns` names them.
        added: Names of capabilities that are asked for, besides.

    Raises:
        InvalidInput: No such identity, or no such capability, or one that can't be added to it.
        Refused: A tracer where the kernel allows none, or by a process that can't grant its capabilities.
    """
    requested = mask(*map(capability, added))
    if identity == "target":
        if added:
            raise InvalidInput("a session as the target has the target's rights", hint="--cap-add needs --as root")
        # A program of another user keeps capabilities over an execve only where they are ambient.
        own = inside(target.uid, uid_map)
        kept = target.effective if own != 0 else target.ambient
        return ProcessCredentials(
            uid=own,
            gid=inside(target.gid, gid_map),
            groups=tuple(inside(group, gid_map) for group in target.groups),
            bounding=target.bounding,
            permitted=target.permitted | kept,
            effective=target.effective,
            inheritable=target.inheritable | kept,
            ambient=kept,
            no_new_privileges=target.no_new_privileges,
        )
    if identity == "tracer":
        _check_tracer(uid_map, own_bounding)
    usual = TRACER if identity == "tracer" else DEBUGGER & ~withheld(shared)
    granted = (usual | requested) & own_bounding
    if identity in ("root", "tracer"):
        return _plain(0, 0, bounding=granted, permitted=granted)
    check_identity(identity)
    uid, _, gid = identity.partition(":")
    number, group = int(uid), int(gid or uid)
    plain = _plain(number, group, bounding=granted, permitted=granted if number == 0 else 0)
    return msgspec.structs.replace(plain, no_new_privileges=is_confined(identity) and target.no_new_privileges)


def capability(name: str) -> str:
    """Return a capability's name as this module has it, from one as users write it: `CAP_NET_ADMIN`, `net_admin`.

    Raises:
        InvalidInput: There is none.
    """
    plain = name.lower().removeprefix("cap_")
    if plain not in CAPABILITIES:
        raise InvalidInput(f"no such capability: {name!r}", hint="capabilities(7) lists them, such as NET_ADMIN")
    return plain


def withheld(shared: Collection[str]) -> int:
    """Return what root is not given by default in a target that has these namespaces of the host's."""
    return sum(bits for kind, bits in WITHHELD.items() if kind in shared)


def is_confined(identity: str) -> bool:
    """Return whether the target's confinement holds for the session's command too; not for a debugger's.

    Args:
        identity: As for `choose_credentials`.
    """
    return identity not in ("root", "tracer") and identity.partition(":")[0].lstrip("0") != ""


def check_identity(identity: str) -> None:
    """Do nothing for `root`, `tracer`, `target` and `UID[:GID]`.

    Raises:
        InvalidInput: It is none of them.
    """
    uid, colon, gid = identity.partition(":")
    if identity not in ("root", "tracer", "target") and (not _is_id(uid) or (colon and not _is_id(gid))):
        raise InvalidInput(
            f"no such identity: {identity!r}",
            hint="root, tracer, target or numbers: --as UID[:GID], in the shell su UID[:GID]",
        )


def _check_tracer(uid_map: str, own_bounding: int) -> None:
    if uid_map.split() != EVERY_ID.split():
        why = "the target has a user namespace of its own, and no right in there is one to trace the kernel"
    elif lacking := TRACER & ~DEBUGGER & ~own_bounding:
        why = f"tracing the kernel takes rights that can't be given here: {', '.join(names(lacking))}"
    else:
        return
    hint = "--as root traces the container's processes; the kernel is traced from the machine itself"
    raise Refused(why, hint=hint, reference="no-tracer")


EVERY_ID = "0 0 4294967295"
"""The `uid_map` of a user namespace in which every id is what it is outside."""


def inside(number: int, mapping: str) -> int:
    """Translate an id of this user namespace into the target's by its `uid_map` (user_namespaces(7))."""
    for line in mapping.splitlines():
        first, outer, count = map(int, line.split())
        if outer <= number < outer + count:
            return first + number - outer
    return 65534


def outside(number: int, mapping: str) -> int:
    """Translate an id of the target's user namespace into this one's; itself where the map doesn't have it."""
    for line in mapping.splitlines():
        first, outer, count = map(int, line.split())
        if first <= number < first + count:
            return outer + number - first
    return number


def _plain(uid: int, gid: int, *, bounding: int, permitted: int) -> ProcessCredentials:
    return ProcessCredentials(
        uid=uid,
        gid=gid,
        groups=(gid,),
        bounding=bounding,
        permitted=permitted,
        effective=permitted,
        inheritable=0,
        ambient=0,
        no_new_privileges=False,
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 2**32 - 1
