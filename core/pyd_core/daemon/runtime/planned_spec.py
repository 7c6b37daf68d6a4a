"""The OCI runtime specification's `config.json`: config.md and config-linux.md, as far as the engine plans it.

Plans change until they are written, so these are dictionaries. `pyd_core.cri.oci_spec` has the records of
specifications that are read.
"""

from __future__ import annotations

from typing import Any, NotRequired, Required, TypedDict


class PlannedConsoleSize(TypedDict):
    """Size of a terminal, in rows and columns."""

    height: int
    width: int


class PlannedUser(TypedDict):
    """The user of a process."""

    uid: int
    gid: int
    additionalGids: NotRequired[list[int]]


class PlannedRlimit(TypedDict):
    """A resource limit of a process."""

    type: str
    soft: int
    hard: int


class PlannedProcess(TypedDict):
    """A process: the main one, or one of an exec."""

    terminal: bool
    user: PlannedUser
    args: list[str]
    env: list[str]
    cwd: str
    capabilities: dict[str, list[str]]
    """Names of capabilities by set: `bounding`, `effective`, `permitted`, …"""
    noNewPrivileges: bool
    oomScoreAdj: int
    rlimits: list[PlannedRlimit]
    consoleSize: NotRequired[PlannedConsoleSize]
    apparmorProfile: NotRequired[str]


class PlannedSpecMount(TypedDict):
    """A mount, in the order of the list."""

    destination: str
    type: str
    source: str
    options: list[str]


class PlannedNamespace(TypedDict):
    """A namespace to create, or to join if it has a path."""

    type: str
    path: NotRequired[str]


class PlannedIdMapping(TypedDict):
    """A range of ids of a user namespace."""

    containerID: int
    hostID: int
    size: int


class PlannedDevice(TypedDict, total=False):
    """A device node to create."""

    path: Required[str]
    type: str
    """`c` or `b`; `p` is a pipe."""
    major: int
    minor: int
    fileMode: int
    uid: int
    gid: int


class PlannedDeviceRule(TypedDict, total=False):
    """A rule of the device cgroup; missing numbers match all."""

    allow: Required[bool]
    access: Required[str]
    """Letters of `rwm`."""
    type: str
    major: int
    minor: int


class PlannedLinux(TypedDict, total=False):
    """The part that is particular to Linux."""

    cgroupsPath: Required[str]
    namespaces: Required[list[PlannedNamespace]]
    resources: Required[dict[str, Any]]
    """Limits by controller, with the rules of `devices`."""
    uidMappings: list[PlannedIdMapping]
    gidMappings: list[PlannedIdMapping]
    devices: list[PlannedDevice]
    maskedPaths: list[str]
    readonlyPaths: list[str]
    seccomp: dict[str, Any]
    rootfsPropagation: str
    sysctl: dict[str, str]


class PlannedRoot(TypedDict):
    """The root file system."""

    path: str
    readonly: bool


class PlannedSpec(TypedDict, total=False):
    """The specification of a container."""

    ociVersion: Required[str]
    root: Required[PlannedRoot]
    process: Required[PlannedProcess]
    mounts: Required[list[PlannedSpecMount]]
    linux: Required[PlannedLinux]
    hostname: str
    annotations: dict[str, str]
    hooks: dict[str, list[dict[str, Any]]]
    """Hooks by the moment that they run at."""
