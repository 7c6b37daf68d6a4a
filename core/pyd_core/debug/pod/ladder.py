"""Rungs: security settings of an ephemeral container, the least privileged first.

Which rung reaches the target's files follows from the kernel's check for reading another process: the same user and
group, with no capabilities of the target's that the reader lacks, or CAP_SYS_PTRACE (ptrace(2), "Ptrace access mode
checking"). Everything else of the target (processes, network, IPC, host name) is shared on every rung.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pyd_core.debug.helper.tiers import TIERS
from pyd_core.errors import InvalidInput

NOBODY = 65534
"""A user that is never the target's by accident."""


class TargetUser(msgspec.Struct, frozen=True, kw_only=True):
    """The user of a target's main process, and its privileges."""

    uid: int | None = None
    """None where it isn't known."""
    gid: int | None = None
    privileged: bool = False
    added: bool = False
    """Whether it has capabilities beyond the default ones."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """Security settings, and what they give."""

    name: str
    """The name for `--profile`."""
    context: dict[str, Any]
    """The `securityContext`."""
    files: bool
    """Whether the target's files are reached."""
    gives: str
    """In words."""


def restricted(uid: int, gid: int | None, *, files: bool) -> Rung:
    """Return the rung that every level of Pod Security admits."""
    context: dict[str, Any] = {
        "runAsUser": uid,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if gid is not None:
        context["runAsGroup"] = gid
    reach = "the target's files, as its own user" if files else "processes and network, without the target's files"
    return Rung(name="restricted", context=context, files=files, gives=f"user {uid} without capabilities: {reach}")


def baseline(*, files: bool) -> Rung:
    """Return root with the runtime's default capabilities."""
    return Rung(
        name="baseline",
        context={"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False},
        files=files,
        gives="root with the default capabilities",
    )


GENERAL = Rung(
    name="general",
    context={"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False, "capabilities": {"add": ["SYS_PTRACE"]}},
    files=True,
    gives="root that may also trace the target",
)
JOIN = Rung(
    name="join",
    context={
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "capabilities": {"drop": ["ALL"], "add": [name.upper() for name in TIERS[3].capabilities]},
        "appArmorProfile": {"type": "Unconfined"},
    },
    files=True,
    gives="its files at /, as it sees them",
)
"""The rights with which a helper container on an engine joins its target, too.

containerd's AppArmor profile forbids the mounts that joining takes.
"""
SYSADMIN = Rung(
    name="sysadmin",
    context={"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False, "privileged": True},
    files=True,
    gives="everything on the node (privileged)",
)
PROFILES = ("restricted", "baseline", "general", "join", "sysadmin")


def rungs(target: TargetUser, profile: str = "", *, joins: bool = False) -> list[Rung]:
    """Return the rungs to try, in order; `sysadmin` is never tried on its own.

    A target that isn't root is reached without any capability, so that comes first. For root, the rung that joins does.

    Args:
        target: The target's user.
        profile: The only rung to try.
        joins: Whether the debug container's image has the toolbox, which joining takes.

    Raises:
        InvalidInput: There is no such rung.
    """
    own = target.uid is not None and target.uid != 0 and not target.privileged and not target.added
    as_target = (
        restricted(target.uid, target.gid, files=True)
        if own and target.uid is not None
        else restricted(NOBODY, NOBODY, files=False)
    )
    root = baseline(files=target.uid in {0, None} and not target.privileged and not target.added)
    known = {"restricted": as_target, "baseline": root, "general": GENERAL, "join": JOIN, "sysadmin": SYSADMIN}
    if profile:
        if profile not in known:
            raise InvalidInput(f"no such profile: {profile}", hint=f"profiles are: {', '.join(PROFILES)}")
        return [known[profile]]
    joining = [JOIN] if joins else []
    reaching = [rung for rung in (as_target, *joining, root, GENERAL) if rung.files]
    rest = [rung for rung in (root, as_target) if not rung.files]
    return [*reaching, *rest]
