"""Rules about errors that the program's output names, confirmed by other sources if there are any.

They only apply to containers that failed on their own or are unhealthy: one stopped on request may have printed
anything.
"""

from __future__ import annotations

from typing import NamedTuple

from pyd_core.model.container import MountPoint
from pyd_core.triage.evidence import Case, Evidence, Item
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import exit_item, has_ended, is_failing

BOOK = RuleBook()

CODE_NOT_FOUND = 127
"""The code of shells whose missing file was the command."""

_LAST_LINE_BONUS = 0.1
"""Added if the line is the last of the output: programs name the fatal error last."""


class _Named(NamedTuple):
    """The sentence about a line of output, without and with the subject it names, and the reason in a few words."""

    summary: str
    summary_of: str = ""
    reason_of: str = ""


_FROM_OUTPUT: dict[str, tuple[_Named, str, tuple[str, ...]]] = {
    "address-in-use": (
        _Named(
            "couldn't listen: the address is already in use",
            "couldn't listen on {subject}: the address is already in use",
            "address in use: {subject}",
        ),
        "its output says that an address is in use",
        ("pyd debug {name} -c 'ss -ltnp'",),
    ),
    "fd-limit": (
        _Named("reached its limit on open files"),
        "its output says that too many files are open",
        ("pyd inspect -f '{{json .HostConfig.Ulimits}}' {name}",),
    ),
    "connection-refused": (
        _Named(
            "couldn't connect: the connection was refused",
            "couldn't connect to {subject}: nothing listens there",
            "{subject} refused the connection",
        ),
        "its output says that a connection was refused",
        ("pyd debug {name} -c 'ss -ltn; ip -br addr; cat /etc/hosts'",),
    ),
    "authentication-failed": (
        _Named("couldn't log in: the server rejected its credentials"),
        "its output says that authentication failed",
        ("pyd inspect -f '{{json .Config.Env}}' {name}",),
    ),
    "missing-env": (
        _Named(
            "requires an environment variable that isn't set",
            "requires {subject}, which is not set",
            "{subject} is not set",
        ),
        "its output names an environment variable that it requires",
        ("pyd inspect -f '{{json .Config.Env}}' {name}",),
    ),
    "missing-file": (
        _Named(
            "requires a file that doesn't exist",
            "requires a file that doesn't exist: {subject}",
            "file not found: {subject}",
        ),
        "its output says that a file doesn't exist",
        ("pyd inspect -f '{{json .Mounts}}' {name}", "pyd diff {name}"),
    ),
    "missing-secret": (
        _Named(
            "requires a secret that isn't mounted",
            "requires a secret that isn't mounted: {subject}",
            "secret not mounted: {subject}",
        ),
        "its output names a missing file below /run/secrets",
        ("pyd inspect -f '{{json .Mounts}}' {name}",),
    ),
    "clock-skew": (
        _Named("rejected a certificate or token that isn't valid at the current time"),
        "its output mentions a period of validity",
        ("date -u", "timedatectl"),
    ),
    "operation-not-permitted": (
        _Named("was denied an operation that needs a capability"),
        "its output says that an operation is not permitted",
        ("pyd debug --as target {name} -c 'grep Cap /proc/self/status'",),
    ),
}


def _declare(cause: str) -> None:
    named, says, advice = _FROM_OUTPUT[cause]

    @BOOK.rule(cause, needs=("log",), says=f"It failed on its own or is unhealthy, and {says}.")
    def from_output(case: Case) -> Conclusion | None:
        findings = case.findings_of(cause)
        if cause == "connection-refused":  # a health probe's connection isn't the program's
            findings = tuple(finding for finding in findings if finding.line.stream != "health")
        if not is_failing(case) or not findings or (cause == "missing-file" and case.run.code == CODE_NOT_FOUND):
            return None
        subject = findings[0].subject
        if not subject or not named.summary_of:
            return conclude(case, cause, findings[0], named.summary, advice=advice)
        summary, reason = (text.replace("{subject}", subject) for text in (named.summary_of, named.reason_of))
        return conclude(case, cause, findings[0], summary, advice=advice, reason=reason)


for _cause in _FROM_OUTPUT:
    _declare(_cause)


def conclude(
    case: Case,
    cause: str,
    finding: Evidence,
    summary: str,
    *facts: Item,
    advice: tuple[str, ...] = (),
    reason: str = "",
) -> Conclusion:
    """Return a conclusion from a line of output; facts of other sources make it more certain.

    Args:
        case: The evidence.
        cause: The cause.
        finding: The line, and what it names.
        summary: The sentence, which has the line's subject where `reason` is given.
        facts: Facts of other sources.
        advice: Commands and steps.
        reason: The most specific part in a few words; by default the sentence.
    """
    confidence = finding.strength + (_LAST_LINE_BONUS if _is_last(case, finding) else 0.0)
    if facts:
        confidence = max(confidence, 0.9)
    named = f" ({finding.subject})" if finding.subject and not reason else ""
    return Conclusion(
        cause=cause,
        confidence=min(confidence, 0.95),
        evidence=(finding.item, *facts, *((exit_item(case),) if has_ended(case) else ())),
        summary=f"{summary}{named}",
        reason=reason,
        advice=advice,
    )


def _is_last(case: Case, finding: Evidence) -> bool:
    last = next((line for line in reversed(case.lines or ()) if line.text.strip()), None)
    return last == finding.line


def _mount_of(case: Case, path: str) -> MountPoint | None:
    """Return the innermost mount that contains a path."""
    below = [
        mount
        for mount in case.container.mounts
        if path == mount.destination or path.startswith(mount.destination.rstrip("/") + "/")
    ]
    return max(below, key=lambda mount: len(mount.destination), default=None)


@BOOK.rule(
    "volume-permission",
    needs=("log",),
    says="Its output says that permission was denied for a path on a mounted volume.",
)
def volume_permission(case: Case) -> Conclusion | None:
    """Conclude missing permission on a mounted volume."""
    findings = case.findings_of("permission-denied")
    if not is_failing(case) or not findings:
        return None
    mount = _mount_of(case, findings[0].subject)
    if mount is None:
        return None
    user = case.container.config.user or "root"
    owner = case.owners.get(mount.destination)
    who = "" if owner is None else f", which belongs to uid {owner}"
    fact = Item(source="inspect", text=f"{mount.destination} is a {mount.type} mount{who}; it runs as user {user}")
    target = mount.source or mount.name
    return conclude(
        case,
        "volume-permission",
        findings[0],
        f"has no permission on the volume at {mount.destination}: it runs as user {user}{who}",
        fact,
        reason=f"no permission on {findings[0].subject} as user {user}",
        advice=(f"chown -R {_uid(user)} {_quote(target)}", f"ls -ldn {_quote(target)}"),
    )


@BOOK.rule(
    "permission-denied",
    needs=("log",),
    says="Its output says that permission was denied, for a path that isn't on a volume.",
)
def permission_denied(case: Case) -> Conclusion | None:
    """Conclude missing permission on a file of the image."""
    findings = case.findings_of("permission-denied")
    if not is_failing(case) or not findings or case.run.code == 126:
        return None
    if _mount_of(case, findings[0].subject) is not None:
        return None
    user = case.container.config.user or "root"
    return conclude(
        case,
        "permission-denied",
        findings[0],
        f"was denied access to {findings[0].subject or 'a file'} as user {user}",
        reason=f"permission denied: {findings[0].subject or 'a file'} as user {user}",
        advice=("pyd debug --as target {name} -c 'id; ls -la " + _quote(findings[0].subject or "/") + "'",),
    )


@BOOK.rule(
    "read-only-fs",
    needs=("log",),
    says="Its output says that a file system is read-only; more certain if the root or the path's mount is.",
)
def read_only(case: Case) -> Conclusion | None:
    """Conclude a write to a read-only file system."""
    findings = case.findings_of("read-only-fs")
    if not is_failing(case) or not findings:
        return None
    facts: list[Item] = []
    locked = [mount.destination for mount in case.container.mounts if not mount.rw]
    if case.container.host_config.readonly_rootfs:
        facts.append(Item(source="inspect", text="its root file system is read-only (--read-only)"))
    if locked:
        facts.append(Item(source="inspect", text=f"mounted read-only: {', '.join(locked)}"))
    return conclude(case, "read-only-fs", findings[0], "tried to write to a read-only file system", *facts)


@BOOK.rule(
    "no-space",
    needs=("log", "host"),
    says="Its output says that no space is left; more certain if a disk that it writes to is full.",
)
def no_space(case: Case) -> Conclusion | None:
    """Conclude a full disk."""
    findings = case.findings_of("no-space")
    if not is_failing(case) or not findings or _without_inodes(case):
        return None
    systems = () if case.host is None else case.host.file_systems
    facts = [Item(source="host", text=f"{system.name} is full ({system.path})") for system in systems if system.full]
    tmpfs = [*case.container.host_config.tmpfs, *(m.destination for m in case.container.mounts if m.type == "tmpfs")]
    if tmpfs and not facts:
        facts.append(Item(source="inspect", text=f"its tmpfs mounts have size limits: {', '.join(tmpfs)}"))
    return conclude(case, "no-space", findings[0], "ran out of disk space", *facts, advice=("pyd system df", "df -h"))


@BOOK.rule(
    "inode-exhausted",
    needs=("log", "host"),
    says="Its output says that no space is left, and a disk that it writes to has no inodes left.",
)
def inode_exhausted(case: Case) -> Conclusion | None:
    """Conclude exhausted inodes."""
    findings = case.findings_of("no-space")
    if not is_failing(case) or not findings or not _without_inodes(case):
        return None
    facts = [Item(source="host", text=f"{name} has no inodes left") for name in _without_inodes(case)]
    return conclude(
        case, "inode-exhausted", findings[0], "couldn't create a file: no inodes are left", *facts, advice=("df -i",)
    )


def _without_inodes(case: Case) -> list[str]:
    systems = () if case.host is None else case.host.file_systems
    return [system.name for system in systems if system.out_of_inodes and not system.full]


@BOOK.rule(
    "pids-limit",
    needs=("kernel log", "cgroup"),
    says="The kernel log or the cgroup shows refused forks; or it has a limit and reports that it couldn't fork.",
)
def pids_limit(case: Case) -> Conclusion | None:
    """Conclude that the limit on processes was reached."""
    limit = case.container.host_config.pids_limit
    refused = case.cgroup is not None and bool(case.cgroup.pids_refused)
    findings = case.findings_of("pids-limit")
    is_reported = bool(findings) and is_failing(case)
    if not (case.forks or refused or (is_reported and (limit or 0) > 0)):
        return None
    if case.run.alive and not refused and not is_reported:
        return None
    if has_ended(case) and not is_failing(case):
        return None
    evidence = [Item(source="kernel log", time_ns=fork.time_ns, text=fork.text) for fork in case.forks[-1:]]
    if case.cgroup is not None and refused:
        evidence.append(
            Item(source="cgroup", text=f"{case.cgroup.pids_refused} forks refused (limit {case.cgroup.pids_limit})")
        )
    if is_reported:
        evidence.append(findings[0].item)
    evidence.append(Item(source="inspect", text=f"limit on processes: {limit or 'none of the container'}"))
    return Conclusion(
        cause="pids-limit",
        confidence=0.95 if case.forks or refused else 0.8,
        evidence=tuple(evidence),
        summary=f"reached its limit of {limit} processes and threads" if limit else "reached a limit on processes",
        reason=f"limit of {limit} processes reached" if limit else "",
        advice=(f"pyd update --pids-limit {max(2 * (limit or 0), 64)} {{name}}", "pyd top {name}"),
    )


@BOOK.rule("dns-failure", needs=("log",), says="Its output says that a name couldn't be resolved.")
def dns_failure(case: Case) -> Conclusion | None:
    """Conclude a failed name resolution."""
    findings = case.findings_of("dns-failure")
    if not is_failing(case) or not findings:
        return None
    none = case.container.host_config.network_mode == "none"
    facts = (Item(source="inspect", text="it has no network (--network none)"),) if none else ()
    return conclude(
        case,
        "dns-failure",
        findings[0],
        f"couldn't resolve {findings[0].subject or 'a name'}",
        *facts,
        reason=f"can't resolve {findings[0].subject or 'a name'}",
        advice=("pyd debug {name} -c 'cat /etc/resolv.conf; ip route'",),
    )


@BOOK.rule(
    "not-same-network",
    needs=("log", "engine"),
    says="Its output says that a name couldn't be resolved, and a container on none of its networks has that name.",
)
def not_same_network(case: Case) -> Conclusion | None:
    """Conclude that the other container is on another network."""
    findings = case.findings_of("dns-failure")
    if not is_failing(case) or not findings or not findings[0].subject:
        return None
    own = set(case.container.network_settings.networks)
    peers = [peer for peer in case.peers if findings[0].subject in peer.names]
    if not peers or any(own & set(peer.networks) - {"bridge", "host", "none"} for peer in peers):
        return None
    peer = peers[0]
    mine, theirs = ", ".join(sorted(own)) or "none", ", ".join(peer.networks) or "none"
    fact = Item(source="engine", text=f"{peer.name} is on {theirs}; this container is on {mine}")
    shared = next((name for name in peer.networks if name not in {"bridge", "host", "none"}), "")
    advice = (
        (f"pyd network connect {_quote(shared)} {{name}}",)
        if shared
        else ("pyd network create shared", "pyd network connect shared {name}")
    )
    return conclude(
        case,
        "not-same-network",
        findings[0],
        f"can't reach {peer.name}: they share no network that resolves names",
        fact,
        reason=f"{peer.name} is on another network",
        advice=advice,
    )


def _uid(user: str) -> str:
    return _quote(user) if user.replace(":", "").isdigit() else "UID:GID"


def _quote(text: str) -> str:
    import shlex  # noqa: PLC0415 - only a verdict's advice needs it

    return shlex.quote(text)
