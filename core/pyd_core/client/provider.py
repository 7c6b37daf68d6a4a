"""Providers of containers, and the capabilities that callers ask of them.

An engine has all capabilities here and more. A cluster and a node have those of `Provider` and some of the optional
ones. What a provider lacks is refused by `lacking`, in one line.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

from pyd_core.errors import Unsupported

if TYPE_CHECKING:
    from pyd_core.client.capabilities import Capability
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.transport.base import Duplex, Stream
    from pyd_core.model.archive import PathStat
    from pyd_core.model.container import Container, ContainerSummary, Processes
    from pyd_core.model.event import Event
    from pyd_core.model.execution import ExecState
    from pyd_core.model.image import HistoryLayer, Image, ImageSummary, Removed
    from pyd_core.model.stats import ContainerStats
    from pyd_core.model.system import Info, Version

    SummaryList = list[ContainerSummary]
    ContainerPages = AsyncIterator[list[Container]]
    ImageList = list[ImageSummary]
    LayerList = list[HistoryLayer]
    RemovedList = list[Removed]

Filters = Mapping[str, list[str]]


class Listing(Protocol):
    """Lists containers."""

    async def list(
        self, *, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int | None = None
    ) -> SummaryList:
        """Return the containers, newest first; only running ones unless `all`."""
        ...


@runtime_checkable
class PagedListing(Protocol):
    """Lists containers in pages with all that a list shows of them, so that none needs to be inspected for it."""

    def restrict(self) -> None:
        """Keep only what lists show of each container from now on."""
        ...

    def pages(self) -> ContainerPages:
        """Yield all containers as they arrive."""
        ...

    async def listed(self, name: str) -> Container:
        """Return what the list has of a container."""
        ...


class Inspection(Protocol):
    """Returns the data of a container."""

    async def inspect(self, name: str, *, size: bool = False) -> Container:
        """Return a container's data in the shared model."""
        ...

    async def inspect_raw(self, name: str, *, size: bool = False) -> bytes:
        """Return a container's data as the provider has it, as JSON."""
        ...

    async def describe(self, name: str) -> tuple[bytes, Container]:
        """Return a container's data as the provider has it, and in the shared model."""
        ...


class LogSource(Protocol):
    """Streams the logs of containers."""

    def logs(
        self,
        name: str,
        *,
        follow: bool = False,
        stdout: bool = True,
        stderr: bool = True,
        since: str | None = None,
        until: str | None = None,
        timestamps: bool = True,
        tail: int | None = None,
        previous: bool = False,
    ) -> AbstractAsyncContextManager[Stream]:
        """Stream a container's output; see `ContainersApi.logs`."""
        ...


class StatsSource(Protocol):
    """Measures containers."""

    def stats_stream(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[ContainerStats]]:
        """Stream samples of a container's use of resources."""
        ...

    async def top(self, name: str, *, ps_args: str | None = None) -> Processes:
        """Return a container's processes."""
        ...


class FileAccess(Protocol):
    """Reads and writes the files of containers as tars."""

    async def archive_stat(self, name: str, path: str) -> PathStat:
        """Return the metadata of a path, without following links."""
        ...

    async def archive_get(self, name: str, path: str) -> bytes:
        """Return a tar of a file or directory."""
        ...

    def archive_stream(self, name: str, path: str) -> AbstractAsyncContextManager[Stream]:
        """Stream a tar of a file or directory."""
        ...

    async def archive_put(
        self,
        name: str,
        path: str,
        tar: bytes | AsyncIterable[bytes],
        *,
        keep_owners: bool = False,
        overwrite_kinds: bool = False,
    ) -> None:
        """Unpack a tar into a directory."""
        ...


class Containers(Listing, Inspection, LogSource, StatsSource, FileAccess, Protocol):
    """The capabilities with containers that every provider has."""


@runtime_checkable
class Removal(Protocol):
    """Removes containers."""

    async def remove(self, name: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Remove a container."""
        ...


@runtime_checkable
class Restarting(Protocol):
    """Restarts containers."""

    async def restart(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Restart a container."""
        ...


@runtime_checkable
class Stopping(Protocol):
    """Stops containers."""

    async def stop(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Stop a container."""
        ...


@runtime_checkable
class Attaching(Protocol):
    """Attaches to the main processes of containers."""

    async def attach(
        self,
        name: str,
        *,
        stdin: bool = False,
        output: bool = True,
        errors: bool = True,
        logs: bool = False,
        detach_keys: str | None = None,
    ) -> Duplex:
        """Attach to the streams of a container's main process."""
        ...


class Execs(Protocol):
    """Runs commands in containers."""

    async def create(
        self,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
        env: Sequence[str] = (),
        user: str = "",
        workdir: str = "",
        privileged: bool = False,
        detach_keys: str = "",
    ) -> str:
        """Prepare a command in a running container and return its id."""
        ...

    async def start(self, exec_id: str, *, tty: bool = False) -> Duplex:
        """Start a command and return its streams."""
        ...

    async def start_detached(self, exec_id: str) -> None:
        """Start a command without attaching to it."""
        ...

    async def inspect(self, exec_id: str) -> ExecState:
        """Return a command's state, or its exit code."""
        ...

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Set the size of a command's terminal."""
        ...


class ProviderSystem(Protocol):
    """The provider itself: version, facts and events."""

    async def version(self) -> Version:
        """Return the provider's version."""
        ...

    async def info(self) -> Info:
        """Return the provider's facts."""
        ...

    def events(
        self, *, since: str | None = None, until: str | None = None, filters: Filters | None = None, follow: bool = True
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Stream events; see `SystemApi.events`."""
        ...


class Images(Protocol):
    """Lists and describes images."""

    async def list(self, *, all: bool = False, filters: Filters | None = None) -> ImageList:
        """Return the images."""
        ...

    async def inspect(self, name: str) -> Image:
        """Return an image's data in the shared model."""
        ...

    async def inspect_raw(self, name: str) -> bytes:
        """Return an image's data as the provider has it, as JSON."""
        ...

    async def history(self, name: str) -> LayerList:
        """Return the build steps of an image, newest first."""
        ...


@runtime_checkable
class ImageRemoval(Protocol):
    """Removes images."""

    removes_names_by_id: ClassVar[bool]
    """Whether a removal by id removes an image that has several names."""

    async def remove(self, name: str, *, force: bool = False, prune: bool = True) -> RemovedList:
        """Remove a name, and the image when that was its last."""
        ...


class Provider(Protocol):
    """Runs containers: an engine, a cluster, or the runtime of a node."""

    @property
    def endpoint(self) -> Endpoint:
        """The address."""
        ...

    family: ClassVar[str]
    """The family of providers, which has its own views in the dashboard."""
    lacks: ClassVar[frozenset[str]]
    """The dashboard's actions on containers that the provider can't carry out."""

    @property
    def containers(self) -> Containers:
        """The containers."""
        ...

    @property
    def execs(self) -> Execs:
        """Commands in the containers."""
        ...

    @property
    def system(self) -> ProviderSystem:
        """The provider itself."""
        ...

    async def connect(self) -> int | None:
        """Reach the provider, and return its clock in nanoseconds since the epoch; None if it has none."""
        ...

    async def can(self, capability: Capability) -> bool:
        """Return whether the provider has a capability of engines."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...


@runtime_checkable
class ImageProvider(Protocol):
    """A provider that knows its images."""

    @property
    def images(self) -> Images:
        """The images."""
        ...


def engine_of(provider: Provider) -> EngineClient:
    """Return a provider as an engine, for what only engines can do.

    Raises:
        Unsupported: It is none.
    """
    from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - needs these protocols itself

    if isinstance(provider, EngineClient):
        return provider
    raise lacking(provider, "what only engines can do")


def images_of(provider: Provider) -> Images:
    """Return a provider's images.

    Raises:
        Unsupported: It has none.
    """
    if isinstance(provider, ImageProvider):
        return provider.images
    raise lacking(provider, "images")


def image_removal_of(provider: Provider) -> ImageRemoval:
    """Return what removes a provider's images.

    Raises:
        Unsupported: The provider can't.
    """
    images = images_of(provider)
    if isinstance(images, ImageRemoval):
        return images
    raise lacking(provider, "removal of images")


def removal_of(provider: Provider) -> Removal:
    """Return what removes a provider's containers.

    Raises:
        Unsupported: The provider can't.
    """
    containers = provider.containers
    if isinstance(containers, Removal):
        return containers
    raise lacking(provider, "removal of containers")


def restarting_of(provider: Provider) -> Restarting:
    """Return what restarts a provider's containers.

    Raises:
        Unsupported: The provider can't.
    """
    containers = provider.containers
    if isinstance(containers, Restarting):
        return containers
    raise lacking(provider, "restarts of containers")


def stopping_of(provider: Provider) -> Stopping:
    """Return what stops a provider's containers.

    Raises:
        Unsupported: The provider can't.
    """
    containers = provider.containers
    if isinstance(containers, Stopping):
        return containers
    raise lacking(provider, "stops of containers")


def attaching_of(provider: Provider) -> Attaching:
    """Return what attaches to a provider's containers.

    Raises:
        Unsupported: The provider can't.
    """
    containers = provider.containers
    if isinstance(containers, Attaching):
        return containers
    raise lacking(provider, "attaching to containers")


def lacking(provider: Provider, what: str) -> Unsupported:
    """Return the error for something that a provider can't do."""
    return Unsupported(
        f"{provider.endpoint.url} is a {provider.family}: it doesn't offer {what}",
        hint="choose an engine with --host or --context",
        reference="not-an-engine-provider",
    )
