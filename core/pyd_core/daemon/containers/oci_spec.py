"""The plan of a container's OCI specification: a pure function from record and host facts to `config.json`.

See the OCI runtime specification, config.md and config-linux.md. Defaults are Docker Engine's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyd_core.daemon.containers import capabilities, resources
from pyd_core.daemon.containers.apparmor import UNCONFINED
from pyd_core.daemon.containers.record import ContainerRecord, MountRecord
from pyd_core.daemon.limits import INHERITED_OPEN_FILES
from pyd_core.daemon.runtime.planned_spec import (
    PlannedConsoleSize,
    PlannedDevice,
    PlannedDeviceRule,
    PlannedIdMapping,
    PlannedLinux,
    PlannedNamespace,
    PlannedProcess,
    PlannedSpec,
    PlannedSpecMount,
    PlannedUser,
)
from pyd_core.errors import InvalidInput
from pyd_core.linux.userns import IdMap, IdRange

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHM = 64 << 20
"""Bytes of /dev/shm."""
INIT_PATH = "/sbin/docker-init"
RECURSIVE_READ_ONLY = (5, 12)
"""The first kernel that makes a mount tree read-only, by mount_setattr(2)."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The user of the main process, looked up in the container's own files."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    home: str = "/"


@dataclass(frozen=True, kw_only=True)
class SpecInputs:
    """The host's inputs to a plan."""

    rootfs: str
    identity: Identity
    cgroup: str
    """Absolute path in the cgroup file system."""
    unified: bool
    """Whether the host has cgroup v2 only."""
    arch: str
    kernel: str
    namespaces: Mapping[str, str] = field(default_factory=dict)
    """Paths of namespaces to join, by the specification's type name."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files bound over /etc/hosts, /etc/hostname and /etc/resolv.conf: target to source."""
    linked: Sequence[str] = ()
    """Variables about linked containers."""
    shm: str = ""
    """A directory bound over /dev/shm; empty mounts a fresh one."""
    part_paths: Mapping[str, str] = field(default_factory=dict)
    """Where parts of volumes are bound for the runtime, by the mounts' targets."""
    required_options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The options that mounts must keep from their sources, by their targets."""
    propagation: str = ""
    """The propagation of the root, for the binds that need it."""
    queues: bool = True
    """Whether the host has /dev/mqueue, for a container with its IPC namespace and other ids."""
    init: str = ""
    """Program bound as the init; needed with `--init`."""
    devices: Sequence[PlannedDevice] = ()
    """Host devices, as `devices.device` describes them."""
    possible: frozenset[str] = frozenset(f"CAP_{name}" for name in capabilities.ALL)
    """Capabilities the engine can grant."""
    seccomp_profile: Mapping[str, Any] | None = None
    """A profile in Docker's form in place of the default."""
    apparmor: str = ""
    """The profile of AppArmor; empty or `unconfined` is none."""
    ids: IdMap | None = None
    """Its ids, where it has a user namespace."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Where volumes, by name, are mounted with these ids."""


@dataclass(frozen=True, kw_only=True)
class Security:
    """The options of `--security-opt`."""

    no_new_privileges: bool = False
    seccomp: str = ""
    """Empty is the default profile, `unconfined` none, else a profile's JSON text."""
    apparmor: str = ""
    masked: bool = True

    @classmethod
    def parse(cls, options: Sequence[str]) -> Security:
        """Parse the options.

        Raises:
            InvalidInput: One is unknown.
        """
        fields: dict[str, Any] = {}
        for option in options:
            name, equals, value = option.partition("=")
            if not equals:
                name, _, value = option.partition(":")
            match name:
                case "no-new-privileges" if value in {"", "true", "false"}:
                    fields["no_new_privileges"] = value in {"", "true"}
                case "seccomp":
                    fields["seccomp"] = value
                case "apparmor":
                    fields["apparmor"] = value
                case "systempaths" if value == "unconfined":
                    fields["masked"] = False
                case "label" | "writable-cgroups":
                    pass  # SELinux isn't managed here
                case _:
                    raise InvalidInput(f"invalid --security-opt: {option[:80]!r}")
        return cls(**fields)


def plan(record: ContainerRecord, facts: SpecInputs) -> PlannedSpec:
    """Plan the specification of a container."""
    host = record.host
    security = Security.parse(host.security_opt)
    held = capabilities.capabilities(add=host.cap_add, drop=host.cap_drop, privileged=host.privileged)
    held = [name for name in held if name in facts.possible]
    config: PlannedSpec = {
        "ociVersion": "1.0.2",
        "root": {"path": facts.rootfs, "readonly": host.readonly_rootfs},
        "process": process(record, facts.identity, held, security, apparmor=facts.apparmor, linked=facts.linked),
        "mounts": _mounts(record, facts),
        "linux": _linux(record, facts, held, security),
    }
    console_size = _console_size(host.console_size) if record.config.tty else None
    if console_size is not None:
        config["process"]["consoleSize"] = console_size
    if host.uts_mode != "host":
        config["hostname"] = record.config.hostname
    if host.annotations:
        config["annotations"] = host.annotations
    return config


def _linux(record: ContainerRecord, facts: SpecInputs, held: list[str], security: Security) -> PlannedLinux:
    host = record.host
    linux: PlannedLinux = {
        "cgroupsPath": facts.cgroup,
        "namespaces": _namespaces(record, facts),
        "resources": {**resources.plan(host), "devices": _device_rules(record, facts)},
    }
    if facts.ids is not None:
        linux["uidMappings"], linux["gidMappings"] = _mapping(facts.ids.users), _mapping(facts.ids.groups)
    if facts.devices:
        linux["devices"] = list(facts.devices)
    if not host.privileged and security.masked:
        masked = [*capabilities.MASKED, *capabilities.EXTRA_MASKED]
        linux["maskedPaths"] = masked if host.masked_paths is None else host.masked_paths
        linux["readonlyPaths"] = capabilities.READ_ONLY if host.readonly_paths is None else host.readonly_paths
    if not host.privileged and security.seccomp != "unconfined":
        profile = dict(facts.seccomp_profile) if facts.seccomp_profile is not None else None
        linux["seccomp"] = capabilities.seccomp(held, facts.arch, facts.kernel, profile)
    if facts.propagation:
        linux["rootfsPropagation"] = facts.propagation
    sysctls = _sysctls(record, facts)
    if sysctls:
        linux["sysctl"] = sysctls
    return linux


def _sysctls(record: ContainerRecord, facts: SpecInputs) -> dict[str, str]:
    sysctls = dict(record.host.sysctls)
    if record.config.domainname and record.host.uts_mode != "host":
        sysctls.setdefault("kernel.domainname", record.config.domainname)
    if not record.network_mode.startswith(("host", "container:")):
        sysctls.setdefault("net.ipv4.ip_unprivileged_port_start", "0")
        if facts.ids is None:  # a user namespace doesn't have all these groups
            sysctls.setdefault("net.ipv4.ping_group_range", "0 2147483647")
    return sysctls


def process(
    record: ContainerRecord,
    identity: Identity,
    held: list[str],
    security: Security,
    *,
    apparmor: str,
    linked: Sequence[str] = (),
) -> PlannedProcess:
    """Plan the main process."""
    config, host = record.config, record.host
    command = record.command
    if host.init:
        command = [INIT_PATH, "--", *command]
    user: PlannedUser = {"uid": identity.uid, "gid": identity.gid}
    if identity.groups:
        user["additionalGids"] = list(identity.groups)
    rlimits = {ulimit.name.upper(): (ulimit.soft, ulimit.hard) for ulimit in host.ulimits}
    rlimits.setdefault("NOFILE", INHERITED_OPEN_FILES)  # the engine's own is raised, see limits.py
    planned: PlannedProcess = {
        "terminal": config.tty,
        "user": user,
        "args": command,
        "env": environment(record, identity, linked),
        "cwd": config.working_dir or "/",
        "capabilities": capability_sets(held, identity.uid),
        "noNewPrivileges": security.no_new_privileges,
        "oomScoreAdj": host.oom_score_adj,
        "rlimits": [
            {"type": f"RLIMIT_{name}", "soft": _limit(soft), "hard": _limit(hard)}
            for name, (soft, hard) in rlimits.items()
        ],
    }
    if apparmor not in {"", UNCONFINED}:
        planned["apparmorProfile"] = apparmor
    return planned


def _console_size(size: Sequence[int] | None) -> PlannedConsoleSize | None:
    """Plan the terminal's initial size, rows and columns, if the client has sent it."""
    if size is None or len(size) != 2 or not any(size):
        return None
    return {"height": size[0], "width": size[1]}


def _limit(value: int) -> int:
    return value if value >= 0 else (1 << 64) - 1


def capability_sets(held: list[str], uid: int) -> dict[str, list[str]]:
    """Plan the five sets; only root has effective ones, as after execve(2)."""
    if uid == 0:
        return {"bounding": held, "effective": held, "permitted": held}
    return {"bounding": held}


def environment(record: ContainerRecord, identity: Identity, linked: Sequence[str] = ()) -> list[str]:
    """Return the main process's environment: the engine's and links' variables, then those of image and creation."""
    own = [DEFAULT_PATH, f"HOSTNAME={record.config.hostname}", *linked]
    if record.config.tty:
        own.append("TERM=xterm")
    names = {entry.partition("=")[0] for entry in record.config.env}
    variables = [entry for entry in own if entry.partition("=")[0] not in names] + [
        entry for entry in record.config.env if "=" in entry
    ]
    if "HOME" not in names:
        variables.append(f"HOME={identity.home}")
    return variables


def _namespaces(record: ContainerRecord, facts: SpecInputs) -> list[PlannedNamespace]:
    host = record.host
    own = {
        "user": facts.ids is not None,
        "mount": True,
        "pid": host.pid_mode != "host",
        "ipc": host.ipc_mode != "host",
        "uts": host.uts_mode != "host",
        "network": record.network_mode != "host",
        "cgroup": (host.cgroupns_mode or ("private" if facts.unified else "host")) == "private",
    }
    namespaces: list[PlannedNamespace] = []
    for kind, mode in own.items():
        if kind in facts.namespaces:
            namespaces.append({"type": kind, "path": facts.namespaces[kind]})
        elif mode:
            namespaces.append({"type": kind})
    return namespaces


def _mapping(ranges: Sequence[IdRange]) -> list[PlannedIdMapping]:
    return [{"containerID": part.inside, "hostID": part.outside, "size": part.count} for part in ranges]


def _device_rules(record: ContainerRecord, facts: SpecInputs) -> list[PlannedDeviceRule]:
    if record.host.privileged:
        return [{"allow": True, "access": "rwm"}]
    rules: list[PlannedDeviceRule] = [{"allow": False, "access": "rwm"}]
    for major, minor in ((1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)):
        rules.append({"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"})
    access_by_path = {
        device.path_in_container or device.path_on_host: device.cgroup_permissions or "rwm"
        for device in record.host.devices
    }
    for device in facts.devices:
        rule = device_rule(device, access_by_path.get(device["path"], "rwm"))
        rules.append(rule)
    rules += map(_rule, record.host.device_cgroup_rules)
    return rules


def device_rule(device: PlannedDevice, access: str) -> PlannedDeviceRule:
    """Return the rule that allows access to a device."""
    rule: PlannedDeviceRule = {"allow": True, "access": access}
    if "type" in device:
        rule["type"] = device["type"]
    if "major" in device and "minor" in device:
        rule["major"], rule["minor"] = device["major"], device["minor"]
    return rule


def _rule(text: str) -> PlannedDeviceRule:
    try:
        kind, numbers, access = text.split()
        major, minor = numbers.split(":")
        rule: PlannedDeviceRule = {"allow": True, "type": kind, "access": access}
        if major != "*":
            rule["major"] = int(major)
        if minor != "*":
            rule["minor"] = int(minor)
    except ValueError:
        raise InvalidInput(f"invalid device cgroup rule format: {text[:60]!r}") from None
    if kind not in {"a", "b", "c"} or not set(access) <= set("rwm"):
        raise InvalidInput(f"invalid device cgroup rule format: {text[:60]!r}")
    return rule


def _mounts(record: ContainerRecord, facts: SpecInputs) -> list[PlannedSpecMount]:
    host = record.host
    ro = "rw" if host.privileged else "ro"
    usual: list[tuple[str, str, str, list[str]]] = [
        ("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
        ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", ro]),
        ("/sys/fs/cgroup", "cgroup", "cgroup", [ro, "nosuid", "noexec", "nodev"]),
        ("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ]
    if host.ipc_mode == "host" and facts.ids is not None:
        # A user namespace that doesn't own the IPC namespace can't mount its queues.
        usual.pop()
        if facts.queues:
            usual.append(("/dev/mqueue", "bind", "/dev/mqueue", ["bind", "private", "nosuid", "noexec", "nodev"]))
    shm = facts.shm or ("/dev/shm" if host.ipc_mode == "host" else "")  # noqa: S108 - the host's own
    if host.ipc_mode == "none":
        pass
    elif shm:
        usual.append(("/dev/shm", "bind", shm, ["bind", "private"]))  # noqa: S108 - the container's
    else:
        size = f"size={host.shm_size or DEFAULT_SHM}"
        usual.append(("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", size]))  # noqa: S108
    taken = {_clean(mount.target) for mount in record.mounts}
    mounts: list[PlannedSpecMount] = [
        {"destination": target, "type": kind, "source": source, "options": options}
        for target, kind, source, options in usual
        if target not in taken
    ]
    recursive = capabilities.release(facts.kernel) >= RECURSIVE_READ_ONLY
    later = [_mount(mount, facts, recursive=recursive) for mount in record.mounts]
    for target, source in facts.files.items():
        if target not in taken:
            options = ["bind", "private", *(["ro"] if host.readonly_rootfs else [])]
            later.append({"destination": target, "type": "bind", "source": source, "options": options})
    if host.init:
        later.append({"destination": INIT_PATH, "type": "bind", "source": facts.init, "options": ["bind", "ro"]})
    # A mount on /etc comes before /etc/hosts, which it would hide.
    mounts += sorted(later, key=lambda mount: _clean(mount["destination"]).count("/"))
    return mounts


def _clean(path: str) -> str:
    return os.path.normpath(path)


def _mount(mount: MountRecord, facts: SpecInputs, *, recursive: bool) -> PlannedSpecMount:
    if mount.kind == "tmpfs":
        options = ["nosuid", "nodev", "noexec", *mount.options]
        return {"destination": mount.target, "type": "tmpfs", "source": "tmpfs", "options": options}
    propagation = mount.propagation or "rprivate"
    # crun takes the r of either for both.
    options = ["rbind", propagation] if mount.recursive else ["bind", propagation.removeprefix("r")]
    own = facts.required_options.get(mount.target, ())
    options += ["ro" if mount.read_only or "ro" in own else "rw", *(option for option in own if option != "ro")]
    if mount.read_only and mount.recursive and mount.recursive_read_only is not False:
        if recursive:
            options.append("rro")
        elif mount.recursive_read_only:
            raise InvalidInput(f"this kernel can't make what is mounted below {mount.source} read-only: it takes 5.12")
    source = facts.part_paths.get(mount.target) or facts.volumes.get(mount.volume, mount.source)
    return {"destination": mount.target, "type": "bind", "source": source, "options": options}
