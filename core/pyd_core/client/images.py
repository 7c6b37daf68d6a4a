"""Images of an engine."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from pyd_core.client.api_client import ApiClient, Query, segment
from pyd_core.client.credentials import RegistryCredentials, credentials_header
from pyd_core.client.options import BuildOptions, ImportOptions
from pyd_core.client.progress import read_progress
from pyd_core.client.transport.base import Stream
from pyd_core.model.base import decode, encode
from pyd_core.model.image import (
    BuildPruned,
    HistoryLayer,
    Image,
    ImagesPruned,
    ImageSummary,
    LoggedIn,
    Removed,
    SearchResult,
)
from pyd_core.model.progress import Progress

Filters = Mapping[str, list[str]]
LayerList = list[HistoryLayer]
RemovedList = list[Removed]
SearchResultList = list[SearchResult]
Archive = bytes | AsyncIterable[bytes]
ProgressStream = AbstractAsyncContextManager[AsyncIterator[Progress]]
"""The engine's progress reports; an error among them is raised as `EngineError`."""

TAR = {"Content-Type": "application/x-tar"}


class ImagesApi:
    """`engine.images`: everything under `/images`."""

    removes_names_by_id: ClassVar[bool] = False

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(self, *, all: bool = False, filters: Filters | None = None) -> list[ImageSummary]:
        """Return the images; intermediate layers too with `all`."""
        return await self._client.get("/images/json", list[ImageSummary], {"all": all, "filters": filters})

    async def inspect(self, name: str) -> Image:
        """Return an image's full inspect data."""
        return decode(await self.inspect_raw(name), Image, what=f"inspect of {name}")

    async def inspect_raw(self, name: str) -> bytes:
        """Return the engine's JSON unchanged."""
        return (await self._client.send("GET", f"/images/{segment(name)}/json")).body

    async def history(self, name: str) -> LayerList:
        """Return the build steps of an image, newest first."""
        return await self._client.get(f"/images/{segment(name)}/history", LayerList)

    async def tag(self, name: str, *, repository: str, tag: str) -> None:
        """Add a name to an image."""
        await self._client.post(f"/images/{segment(name)}/tag", {"repo": repository, "tag": tag})

    async def remove(self, name: str, *, force: bool = False, prune: bool = True) -> RemovedList:
        """Remove a name, and the image when that was its last."""
        query = {"force": force or None, "noprune": None if prune else True}
        response = await self._client.send("DELETE", f"/images/{segment(name)}", query, timeout=None)
        return decode(response.body, RemovedList)

    async def prune(self, *, filters: Filters | None = None) -> ImagesPruned:
        """Remove the untagged ones that no container uses; all unused ones with the filter `dangling=["false"]`."""
        return decode(await self._client.post("/images/prune", {"filters": filters}), ImagesPruned)

    def save(self, names: Sequence[str]) -> AbstractAsyncContextManager[Stream]:
        """Stream a tar of images as `docker save` writes it."""
        return self._client.stream("GET", "/images/get", {"names": names})

    def pull(
        self, name: str, *, tag: str | None = None, platform: str | None = None, auth: RegistryCredentials | None = None
    ) -> ProgressStream:
        """Pull from a registry.

        Args:
            name: A repository; with a tag or digest where `tag` has none.
            tag: A tag or digest; None with a bare repository pulls all its tags.
            platform: `os/architecture`; None is the engine's own.
            auth: Who asks.
        """
        query = {"fromImage": name, "tag": tag, "platform": platform}
        return self._stream_progress("/images/create", query, headers=credentials_header(auth), remote=True)

    def push(self, name: str, *, tag: str | None = None, auth: RegistryCredentials | None = None) -> ProgressStream:
        """Push a tag to its registry, or all tags of the repository without one."""
        # Docker Engine wants the header even without a login (moby, `image_routes.go`)
        headers = credentials_header(auth or RegistryCredentials())
        return self._stream_progress(f"/images/{segment(name)}/push", {"tag": tag}, headers=headers, remote=True)

    def load(self, archive: Archive, *, quiet: bool = False) -> ProgressStream:
        """Load images from a tar as `docker save` writes it."""
        return self._stream_progress("/images/load", {"quiet": quiet}, raw=archive, headers=TAR)

    def import_(self, archive: Archive, options: ImportOptions) -> ProgressStream:
        """Make an image of one layer from a tar of files; its id is the last status."""
        query = {
            "fromSrc": options.source,
            "repo": options.repository,
            "tag": options.tag,
            "message": options.message or None,
            "changes": options.changes,
            "platform": options.platform or None,
        }
        return self._stream_progress("/images/create", query, raw=archive, headers=TAR)

    def build(
        self, context: Archive, options: BuildOptions, *, logins: Mapping[str, RegistryCredentials] | None = None
    ) -> ProgressStream:
        """Build an image by the engine's classic builder; `aux` of a line near the end has its id.

        Args:
            context: A tar, compressed or not; empty with a remote context.
            options: How.
            logins: Credentials for base images, by registry.
        """
        headers = TAR | credentials_header(logins or {}, name="X-Registry-Config")
        return self._stream_progress("/build", _build_query(options), raw=context, headers=headers)

    async def prune_builds(self, *, all: bool = False, filters: Filters | None = None) -> BuildPruned:
        """Remove build cache."""
        query = {"all": all or None, "filters": filters}
        return decode(await self._client.post("/build/prune", query), BuildPruned)

    async def search(self, term: str, *, limit: int | None = None, filters: Filters | None = None) -> SearchResultList:
        """Look for repositories in the public registry."""
        return await self._client.get(
            "/images/search", SearchResultList, {"term": term, "limit": limit, "filters": filters}
        )

    async def login(self, credentials: RegistryCredentials) -> str:
        """Has the engine try credentials at their registry.

        Returns:
            An identity token to keep in place of the password, or an empty text.

        Raises:
            Refused: The registry doesn't take them.
        """
        response = decode(await self._client.post("/auth", body=credentials), LoggedIn)
        return response.identity_token

    @asynccontextmanager
    async def _stream_progress(
        self,
        path: str,
        query: Query,
        *,
        raw: Archive | None = None,
        headers: Mapping[str, str] | None = None,
        remote: bool = False,
    ) -> AsyncIterator[AsyncIterator[Progress]]:
        async with self._client.stream("POST", path, query, raw=raw, headers=headers) as stream:
            yield read_progress(stream, remote=remote)


def _build_query(options: BuildOptions) -> Query:
    return {
        "t": options.tags,
        "dockerfile": options.dockerfile,
        "remote": options.remote or None,
        "buildargs": options.arguments or None,
        "labels": options.labels or None,
        "target": options.target or None,
        "nocache": options.no_cache or None,
        "cachefrom": None if not options.cache_from else encode(options.cache_from).decode(),
        "pull": options.pull or None,
        "networkmode": options.network or None,
        "platform": options.platform or None,
        "q": options.quiet or None,
        "rm": options.remove,
        "forcerm": options.force_remove or None,
        "squash": options.squash or None,
        "extrahosts": options.extra_hosts,
        "securityopt": None if not options.security_options else encode(options.security_options).decode(),
        "memory": options.memory or None,
        "memswap": options.memory_swap or None,
        "cpushares": options.cpu_shares or None,
        "cpuperiod": options.cpu_period or None,
        "cpuquota": options.cpu_quota or None,
        "cpusetcpus": options.cpuset_cpus or None,
        "cpusetmems": options.cpuset_mems or None,
        "shmsize": options.shm_size or None,
        "cgroupparent": options.cgroup_parent or None,
        "ulimits": options.ulimits or None,
    }
