"""Tiers of a helper container: its rights from least to most, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pyd_core.debug.sessions.credentials import DEBUGGER, names
from pyd_core.model.host_config import HostConfig

_DEFAULT = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service"),
    *("net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)
"""What engines give containers that ask for nothing (moby, `oci/caps/defaults.go`): `--as target` needs as much."""


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Rights of a helper container.

    Attributes:
        number: 0 to 4, as `--tier` takes it.
        gives: The abilities of a session with it.
        capabilities: Names without `CAP_`.
        joins: Whether the target's files are `/`.
        sees_files: Whether they can be seen at all; where they aren't `/`, they are at `/target`.
        unconfined: Without AppArmor's and SELinux's profile for containers, which forbid mounting and tracing.
        privileged: Everything, in the host's pid namespace.
    """

    number: int
    gives: str
    capabilities: tuple[str, ...] = ()
    joins: bool = False
    sees_files: bool = False
    unconfined: bool = False
    privileged: bool = False


TIERS = (
    Tier(number=0, gives="the target's network and processes"),
    Tier(number=1, gives="capturing its traffic as well", capabilities=("net_raw", "net_admin")),
    Tier(
        number=2,
        gives="its files at /target, and tracing, as well",
        capabilities=("net_raw", "net_admin", "sys_ptrace", "dac_override", "kill"),
        sees_files=True,
        unconfined=True,
    ),
    Tier(
        number=3,
        gives="its files at /, as it sees them",
        capabilities=tuple(sorted({*names(DEBUGGER), *_DEFAULT, "sys_admin"})),
        joins=True,
        sees_files=True,
        unconfined=True,
    ),
    Tier(number=4, gives="everything", joins=True, sees_files=True, unconfined=True, privileged=True),
)
"""By number."""

ORDER = (3, 4, 2, 1, 0)
"""The least that shows the target's files at `/`, then what may where that is refused, then what is left without."""


def out_of_sight(order: Sequence[Tier], target: HostConfig) -> list[Tier]:
    """Return rights in the order in which they are to be tried for a target.

    A helper below tier 4 is in its target's process namespace. A target that may trace processes would have what the
    helper has, so one in the host's is tried first.
    """
    added = {name.upper().removeprefix("CAP_") for name in target.cap_add}
    traces = target.privileged or bool(added & {"ALL", "SYS_PTRACE"})
    return sorted(order, key=lambda tier: not tier.privileged) if traces else list(order)
