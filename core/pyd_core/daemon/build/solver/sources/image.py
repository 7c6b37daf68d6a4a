"""Images as sources: from the engine's store, else pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.solver.reporter import VertexReporter, now
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.platform_images import find_for
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.pull import Pull
from pyd_core.daemon.images.registry import Registry, RegistryLogin
from pyd_core.daemon.images.registry_config import HUB, RegistrySettings
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.model.reference import Reference, parse

T = TypeVar("T")

SCHEME = "docker-image://"
ID_SCHEME = "pyd-image://"
"""An image of the store by its id, as the classic builder names the image of the step before."""
_HUB_AUTH_HOST = "registry-1.docker.io"
"""The name by which clients know their credentials for Docker Hub."""


def platform_text(platform: ops_pb2.Platform | None) -> str:
    """Return a platform as `OS/ARCHITECTURE/VARIANT`; empty for none."""
    if platform is None or not platform.Architecture:
        return ""
    return "/".join(part for part in (platform.OS or "linux", platform.Architecture, platform.Variant) if part)


async def login_for(session: BuildSession | None, reference: Reference) -> RegistryLogin:
    """Return the client's credentials for a registry."""
    if session is None:
        return RegistryLogin()
    host = _HUB_AUTH_HOST if reference.domain in {HUB, "docker.io"} else reference.domain
    try:
        pair = await session.credentials(host)
    except PydError:  # the client has none, or no way to ask it
        return RegistryLogin()
    if pair is None:
        return RegistryLogin()
    username, secret = pair
    return RegistryLogin(username=username, password=secret) if username else RegistryLogin(identitytoken=secret)


class ImageSource:
    """Finds and pulls images."""

    def __init__(self, images: ImageStore, events: ImageEvents, registries: RegistrySettings) -> None:
        self._images = images
        self._events = events
        self._registries = registries

    def find(self, reference: Reference, platform: str) -> ImageRecord | None:
        """Return the store's image with a name, if it is for the platform."""
        try:
            return find_for(self._images, str(reference), platform)
        except NotFound:
            return None

    async def resolve(
        self, name: str, *, platform: str, mode: str, session: BuildSession | None, reporter: VertexReporter | None
    ) -> ImageRecord:
        """Return an image, pulled if necessary.

        Args:
            name: Its reference.
            platform: The platform that it must have; empty is any.
            mode: `pull` asks the registry even if the image is here; anything else only if it isn't.
            session: Has the credentials.
            reporter: Gets the progress of a pull.

        Raises:
            NotFound: There is no such image.
        """
        reference = parse(name)
        record = self.find(reference, platform) if mode != "pull" else None
        if record is not None:
            return record
        registry = Registry(reference, await login_for(session, reference), self._registries, pull=True)
        async with registry:
            work = Pull(self._images, registry, platform=platform)
            await first_host(registry, work.resolve)
            emitter = ProgressEmitter()
            pulled = ""

            async def run() -> None:
                nonlocal pulled
                pulled = await work.run(emitter)

            failure: list[Exception] = []

            def describe(error: Exception) -> str:
                failure.append(error)
                return str(error)

            started = now()
            async for line in emitter.records(run, describe):
                _report(reporter, line, started)
        if failure:
            raise failure[0]
        record = self._images.find(pulled)
        self._events.emit("pull", record, key=str(reference), name=reference.familiar)
        return record

    async def config(self, name: str, *, platform: str, mode: str, session: BuildSession | None) -> tuple[str, bytes]:
        """Return an image's digest and configuration without pulling its layers.

        The digest of an image that exists only here is empty.

        Raises:
            NotFound: There is no such image.
        """
        reference = parse(name)
        record = self.find(reference, platform) if mode != "pull" else None
        if record is not None:
            prefix = f"{reference.repository}@"
            digest = next((text.removeprefix(prefix) for text in record.digests if text.startswith(prefix)), "")
            return digest, await asyncio.to_thread(self._images.blobs.read, record.id)
        async with Registry(reference, await login_for(session, reference), self._registries, pull=True) as registry:
            work = Pull(self._images, registry, platform=platform)
            await first_host(registry, work.resolve)
            return work.digest, await work.config()


async def first_host(registry: Registry, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask a registry's mirrors in order until one answers; raise the last one's error."""
    while True:
        try:
            return await ask()
        except PydError:
            if not await registry.next_host():
                raise


def _report(reporter: VertexReporter | None, line: dict[str, Any], started: Any) -> None:
    detail = line.get("progressDetail") or {}
    key = line.get("id")
    if reporter is None or not key or "status" not in line:
        return
    is_done = line["status"] in {"Pull complete", "Already exists"}
    reporter.status(
        f"{line['status'].lower()} {key}",
        detail.get("current", 0),
        detail.get("total", 0),
        started=started,
        completed=is_done,
    )


def reference_of(identifier: str) -> str:
    """Return the reference in an identifier.

    Raises:
        InvalidInput: It is none.
    """
    name = identifier.removeprefix(SCHEME)
    if not name:
        raise InvalidInput("an image source has no name", reference="bad-definition")
    return name
