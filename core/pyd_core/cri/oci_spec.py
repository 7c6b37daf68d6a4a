"""The OCI runtime specification of a container, as far as it is shown (`config.json`, opencontainers/runtime-spec)."""

from __future__ import annotations

import msgspec

MAX_SPEC_BYTES = 8 << 20


class SpecUser(msgspec.Struct, frozen=True):
    """The credentials of a process."""

    uid: int = 0
    gid: int = 0


class SpecCapabilities(msgspec.Struct, frozen=True):
    """The capabilities of a process."""

    bounding: list[str] | None = None


class SpecProcess(msgspec.Struct, frozen=True, rename="camel"):
    """The main process."""

    terminal: bool = False
    user: SpecUser = SpecUser()
    args: list[str] | None = None
    env: list[str] | None = None
    cwd: str = "/"
    capabilities: SpecCapabilities | None = None
    no_new_privileges: bool = False
    oom_score_adj: int | None = None


class SpecRoot(msgspec.Struct, frozen=True):
    """The root file system."""

    path: str = ""
    readonly: bool = False


class SpecMount(msgspec.Struct, frozen=True):
    """A mount."""

    destination: str = ""
    type: str = ""
    source: str = ""
    options: list[str] | None = None


class SpecMemory(msgspec.Struct, frozen=True):
    """Limits of memory, in bytes."""

    limit: int | None = None
    swap: int | None = None


class SpecCpu(msgspec.Struct, frozen=True):
    """Limits of processor time, in microseconds."""

    quota: int | None = None
    period: int | None = None
    shares: int | None = None


class SpecPids(msgspec.Struct, frozen=True):
    """Limit of processes."""

    limit: int | None = None


class SpecResources(msgspec.Struct, frozen=True):
    """Limits."""

    memory: SpecMemory | None = None
    cpu: SpecCpu | None = None
    pids: SpecPids | None = None


class SpecNamespace(msgspec.Struct, frozen=True):
    """A namespace; without a path it is the container's own."""

    type: str = ""
    path: str = ""


class SpecLinux(msgspec.Struct, frozen=True, rename="camel"):
    """The part for Linux."""

    resources: SpecResources | None = None
    namespaces: list[SpecNamespace] | None = None
    cgroups_path: str = ""
    masked_paths: list[str] | None = None


class OciSpec(msgspec.Struct, frozen=True):
    """A specification; the fields that pyd shows."""

    process: SpecProcess = SpecProcess()
    root: SpecRoot = SpecRoot()
    hostname: str = ""
    mounts: list[SpecMount] | None = None
    linux: SpecLinux = SpecLinux()


def parse_spec(document: bytes) -> OciSpec:
    """Return a specification; an empty one where the document isn't any."""
    if len(document) > MAX_SPEC_BYTES:
        return OciSpec()
    try:
        return msgspec.json.decode(document, type=OciSpec, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return OciSpec()
