"""Interfaces between the build server, the solver and the exporters.

The server (`daemon/build`) implements `BuildSession` and `BuildProgress`. The solver (`daemon/build/solver`) implements
`Solver`, `BuildRef` and `BuildContainer`. The exporters (`daemon/build/exporters`) implement `Exporters`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from pyd_core.errors import EngineError
from pyd_core.model.host_config import HostConfig

if TYPE_CHECKING:
    from pyd_core.buildkit.proto import control_pb2, gateway_pb2, ops_pb2
    from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
    from pyd_core.daemon.build.session.content_store import ContentStore


class SyncedEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file of a client's directory, as the kept copy has it now.

    Attributes:
        mode: As stat(2) has it: type and permissions.
        mtime_ns: Modification time, in nanoseconds since 1970.
        linkname: Target of a symbolic link; of a hard link, the path of the entry that came first.
        digest: `sha256:` and the digest of a regular file's content; empty for anything else.
    """

    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    linkname: str = ""
    devmajor: int = 0
    devminor: int = 0
    xattrs: dict[str, bytes] = {}
    digest: str = ""


class SyncedTree(msgspec.Struct, frozen=True, kw_only=True):
    """A client's directory after a sync.

    Attributes:
        entries: By path relative to the directory, with `/` between names, in the order of the client's walk.
        transferred_bytes: Size of the content that had to travel.
    """

    entries: dict[str, SyncedEntry]
    transferred_bytes: int = 0


class BuildSession(Protocol):
    """A client's session. Every call fails with `StreamInterrupted` once the client is gone."""

    id: str
    shared_key: str
    """Names the client's directory across its builds; empty where the client named none."""

    def upload(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Receive what the client serves as `http://buildkit-session/PATH`.

        Raises:
            NotFound: It serves no such thing.
        """
        ...

    async def sync_directory(
        self,
        *,
        name: str,
        destination_fd: int,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        follow_paths: Sequence[str] = (),
        previous: SyncedTree | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncedTree:
        """Bring a directory to the state of the client's directory `name`; only changed files travel.

        The caller keeps the directory between builds, and others from using it during a sync. `previous` is the tree
        that the last sync returned. It is None for a new directory and after a failure; then all of the directory is
        removed first. `progress` is called with the number of bytes and of files that have arrived so far.

        Raises:
            NotFound: The client has no directory of that name.
            InvalidInput: The client sent what no directory can hold.
        """
        ...

    async def secret(self, secret_id: str) -> bytes:
        """Return a secret.

        Raises:
            NotFound: The client has no such secret.
        """
        ...

    async def credentials(self, host: str) -> tuple[str, str] | None:
        """Return user name and password for a registry; an empty user name stands for an identity token."""
        ...

    def ssh_agent(self, agent_id: str) -> AbstractAsyncContextManager[Path]:
        """Serve a unix socket that leads to the client's ssh agent.

        Raises:
            NotFound: The client forwards no such agent.
        """
        ...

    def content_store(self, store_id: str) -> ContentStore:
        """Return one of the client's content stores, such as `local:DIRECTORY` for a cache.

        Raises:
            Unsupported: The client serves none.
        """
        ...

    async def send_file(self, chunks: AsyncIterator[bytes], metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send the file of an exporter, given by its number in the request, with its response as metadata."""
        ...

    async def send_directory(self, root_fd: int, metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send the content of a directory to the client, for the exporter `local`."""
        ...


class BuildProgress(Protocol):
    """The progress of one build: goes to its clients, to late subscribers and to the history.

    Timestamps are the caller's. `log` and `warning` may be called for vertices that `vertex` has named.
    """

    def vertex(self, vertex: control_pb2.Vertex) -> None:
        """Report a vertex, or its new state."""
        ...

    def status(self, status: control_pb2.VertexStatus) -> None:
        """Report progress inside a vertex: layers, files, bytes."""
        ...

    def log(self, digest: str, stream: int, data: bytes) -> None:
        """Report output of a vertex: stream 1 is stdout, 2 is stderr."""
        ...

    def warning(self, warning: control_pb2.VertexWarning) -> None:
        """Report a warning."""
        ...


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """Settings of a build's steps for which definitions have no field; the classic builder has them.

    Attributes:
        key: The id of the step's container; empty makes one up.
        limits: Its memory and processors.
        network: The network of steps that name none; empty is the default bridge.
        namespace: The path of a network namespace for such steps, in place of a network.
        keeps_kernel_trees: Whether /dev, /proc and /sys that the file system lacked stay, as in BuildKit's images.
    """

    key: str = ""
    limits: HostConfig = field(default_factory=HostConfig)
    network: str = ""
    namespace: str = ""
    keeps_kernel_trees: bool = True


@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """Options of a solve.

    Attributes:
        build_id: The reference of the build, as its client named it.
        entitlements: What the client allows: `network.host`, `security.insecure`.
        cache_imports: Caches to look in besides the local one.
        evaluate: Whether to run the definition now; otherwise the result may wait for its first use.
        keep_failure: Whether a failed step keeps its mounts in `VertexError`, for a debugger.
    """

    build_id: str = ""
    entitlements: frozenset[str] = frozenset()
    cache_imports: tuple[control_pb2.CacheOptionsEntry, ...] = ()
    evaluate: bool = True
    keep_failure: bool = False
    settings: StepSettings = field(default_factory=StepSettings)


class BuildRef(Protocol):
    """An immutable file system: the result of a vertex. Paths are resolved inside of it."""

    id: str

    async def evaluate(self) -> None:
        """Run what the result depends on.

        Raises:
            VertexError: A vertex failed.
        """
        ...

    async def read_file(self, path: str, *, offset: int = 0, length: int = 0) -> bytes:
        """Return a file's content, from `offset` on; `length` 0 means to its end, up to 16 MiB.

        Raises:
            NotFound: No such file.
        """
        ...

    async def read_dir(self, path: str, *, pattern: str = "") -> list[Stat]:
        """List a directory; `pattern` selects names as Go's `filepath.Match` does."""
        ...

    async def stat_file(self, path: str) -> Stat:
        """Return what a path is, without following it if it is a link."""
        ...

    async def release(self) -> None:
        """Let the cache remove the result."""
        ...


class BuildProcess(Protocol):
    """A process in a container of a build."""

    async def write(self, data: bytes) -> None:
        """Write to its standard input, or terminal."""
        ...

    async def close_input(self) -> None:
        """End its standard input."""
        ...

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield its output with the stream's number, until the process and its output end."""
        ...

    async def wait(self) -> int:
        """Return its exit code."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Resize its terminal."""
        ...

    def kill(self, number: int) -> None:
        """Send it a signal."""
        ...


class BuildContainer(Protocol):
    """A container that a client opened on results of a build, for example to debug a failed step."""

    async def start(self, message: gateway_pb2.InitMessage, *, secrets: Mapping[str, bytes]) -> BuildProcess:
        """Start a process; the first one is the container's init process."""
        ...

    async def release(self) -> None:
        """Stop its processes and remove it."""
        ...


class VertexError(EngineError):
    """A vertex of a build failed.

    Attributes:
        digest: The vertex.
        name: How it is shown.
        exit_code: Of its process; None if it failed otherwise.
        op: The vertex's operation.
        inputs: The vertex's inputs; kept for a debugger only where `keep_failure` asks for it.
        mounts: For an exec operation, the state of each of its mounts at the failure, in their order.
    """

    reference = "build-step-failed"

    def __init__(
        self,
        message: str,
        *,
        digest: str,
        name: str = "",
        exit_code: int | None = None,
        op: ops_pb2.Op | None = None,
        inputs: Sequence[BuildRef | None] = (),
        mounts: Sequence[BuildRef | None] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.digest = digest
        self.name = name
        self.exit_code = exit_code
        self.op = op
        self.inputs = tuple(inputs)
        self.mounts = tuple(mounts)


class PruneOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a prune; sizes in bytes, 0 means no bound.

    Attributes:
        filters: As BuildKit's clients write them, such as `type==regular` or `id~=abc`; all must hold.
        all: Whether to remove internal and front-end records too.
        keep_duration_ns: Keep what was used within that time.
    """

    filters: tuple[str, ...] = ()
    all: bool = False
    keep_duration_ns: int = 0
    reserved_bytes: int = 0
    max_used_bytes: int = 0
    min_free_bytes: int = 0


class Solver(Protocol):
    """Executes definitions."""

    async def solve(
        self,
        definition: ops_pb2.Definition,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
        options: SolveOptions,
    ) -> BuildRef | None:
        """Return the result of the definition's last vertex; None stands for an empty file system.

        Cancelling ends what only this call needs.

        Raises:
            VertexError: A vertex failed.
            InvalidInput: The definition is none.
        """
        ...

    async def image_config(
        self,
        reference: str,
        *,
        platform: ops_pb2.Platform | None,
        resolve_mode: str,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image; `resolve_mode` is `pull`, or prefers the local one.

        Raises:
            NotFound: No such image.
        """
        ...

    async def new_container(
        self,
        request: gateway_pb2.NewContainerRequest,
        *,
        mounts: Sequence[BuildRef | None],
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> BuildContainer:
        """Open a container whose mounts are results; `mounts` has one for each mount of the request."""
        ...

    async def disk_usage(self, *, filters: Sequence[str] = ()) -> list[control_pb2.UsageRecord]:
        """List the records of the cache."""
        ...

    def prune(self, options: PruneOptions) -> AsyncIterator[control_pb2.UsageRecord]:
        """Remove records of the cache, and yield each."""
        ...


@dataclass(frozen=True, kw_only=True)
class FrontendResult:
    """The result of a front end: what the exporters export.

    Attributes:
        refs: By platform id (`linux/amd64`), or a single one under the empty name; None is an empty file system.
        metadata: `containerimage.config` or, by platform, `containerimage.config/PLATFORM` and `refs.platforms`.
        definitions: The definition behind each ref, for provenance.
        attestations: By platform id, as the client or front end made them.
    """

    refs: dict[str, BuildRef | None]
    metadata: dict[str, bytes] = field(default_factory=dict)
    definitions: dict[str, ops_pb2.Definition] = field(default_factory=dict)
    attestations: dict[str, gateway_pb2.Attestations] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """A build's exports: all its exporters and cache exports.

    Attributes:
        frontend_attrs: The front end's attributes, for provenance.
        started_ns: When the build began, in nanoseconds since 1970.
    """

    build_id: str
    started_ns: int = 0
    exporters: tuple[control_pb2.Exporter, ...] = ()
    cache_exports: tuple[control_pb2.CacheOptionsEntry, ...] = ()
    frontend: str = ""
    frontend_attrs: dict[str, str] = field(default_factory=dict)


class Exporters(Protocol):
    """Exports results."""

    async def export(
        self,
        request: ExportRequest,
        result: FrontendResult,
        *,
        session: BuildSession | None,
        progress: BuildProgress,
    ) -> dict[str, str]:
        """Run a build's exporters, in their order, and return their responses, such as `containerimage.digest`."""
        ...
