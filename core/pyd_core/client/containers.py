"""Containers of an engine."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from pyd_core.client.api_client import ApiClient, Query, segment
from pyd_core.client.json_stream import records
from pyd_core.client.options import CommitOptions
from pyd_core.client.transport.base import Duplex, Stream
from pyd_core.model.archive import PathStat, decode_stat
from pyd_core.model.base import decode
from pyd_core.model.container import (
    Container,
    ContainerSummary,
    Created,
    FileChange,
    Processes,
    Pruned,
    Updated,
    WaitResult,
)
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import UpdateBody
from pyd_core.model.stats import ContainerStats

Filters = Mapping[str, list[str]]
ChangeList = list[FileChange]
WarningList = list[str]


class ContainersApi:
    """`engine.containers`: everything under `/containers`. Names and unambiguous id prefixes both do."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def list(
        self, *, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int | None = None
    ) -> list[ContainerSummary]:
        """Return the containers, newest first; only running ones unless `all`."""
        query = {"all": all, "filters": filters, "size": size or None, "limit": limit}
        return await self._session.get("/containers/json", list[ContainerSummary], query)

    async def inspect(self, name: str, *, size: bool = False) -> Container:
        """Return all there is to know about one container."""
        return decode(await self.inspect_raw(name, size=size), Container, what=f"inspect of {name}")

    async def inspect_raw(self, name: str, *, size: bool = False) -> bytes:
        """Return the engine's JSON untouched, with the fields no model knows."""
        path = f"/containers/{segment(name)}/json"
        return (await self._session.send("GET", path, {"size": size or None})).body

    async def create(
        self, body: CreateBody | Mapping[str, object], *, name: str | None = None, platform: str | None = None
    ) -> Created:
        """Make a container.

        Args:
            body: As `POST /containers/create` takes it; plain data may hold what no model knows.
            name: None lets the engine choose.
            platform: `os/architecture` of the image; None takes what is there.

        Raises:
            NotFound: There is no such image.
        """
        query = {"name": name, "platform": platform}
        return decode(await self._session.post("/containers/create", query, body=body), Created)

    async def start(self, name: str, *, detach_keys: str | None = None) -> None:
        """Start it; no complaint if it runs."""
        await self._verb(name, "start", {"detachKeys": detach_keys})

    async def stop(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Send its stop signal, and SIGKILL after `grace` seconds; no complaint if it doesn't run."""
        await self._verb(name, "stop", {"signal": signal, "t": grace})

    async def restart(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Stop and start it."""
        await self._verb(name, "restart", {"signal": signal, "t": grace})

    async def kill(self, name: str, *, signal: str | None = None) -> None:
        """Send a signal to its main process, SIGKILL by default."""
        await self._verb(name, "kill", {"signal": signal})

    async def pause(self, name: str) -> None:
        """Freeze all its processes."""
        await self._verb(name, "pause")

    async def unpause(self, name: str) -> None:
        """Let them go on."""
        await self._verb(name, "unpause")

    async def rename(self, name: str, to: str) -> None:
        """Give it another name."""
        await self._verb(name, "rename", {"name": to})

    async def update(self, name: str, body: UpdateBody | Mapping[str, object]) -> WarningList:
        """Change limits and the restart policy of a living container; return the engine's warnings."""
        answer = await self._session.post(f"/containers/{segment(name)}/update", body=body)
        return decode(answer, Updated).warnings or []

    async def remove(self, name: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Remove it; `force` kills it first, `volumes` takes its anonymous volumes along."""
        query = {"force": force or None, "v": volumes or None, "link": link or None}
        await self._session.send("DELETE", f"/containers/{segment(name)}", query, timeout=None)

    async def prune(self, *, filters: Filters | None = None) -> Pruned:
        """Remove all that don't run."""
        return decode(await self._session.post("/containers/prune", {"filters": filters}), Pruned)

    async def wait(self, name: str, *, condition: str = "not-running") -> WaitResult:
        """Wait until it is `not-running`, has made its `next-exit`, or is `removed`."""
        path = f"/containers/{segment(name)}/wait"
        return decode(await self._session.post(path, {"condition": condition}), WaitResult)

    @asynccontextmanager
    async def waiting(self, name: str, *, condition: str) -> AsyncIterator[Callable[[], Awaitable[WaitResult]]]:
        """Begin to wait as `wait` does; once the block is entered, nothing can happen that is missed."""
        path = f"/containers/{segment(name)}/wait"
        async with self._session.stream("POST", path, {"condition": condition}) as stream:

            async def ended() -> WaitResult:
                return decode(b"".join([chunk async for chunk in stream.chunks()]), WaitResult)

            yield ended

    async def top(self, name: str, *, ps_args: str | None = None) -> Processes:
        """Return its processes as the host's `ps` sees them."""
        return await self._session.get(f"/containers/{segment(name)}/top", Processes, {"ps_args": ps_args})

    async def changes(self, name: str) -> ChangeList:
        """Return the paths that differ from the image."""
        kind = ChangeList | None
        found: ChangeList | None = await self._session.get(f"/containers/{segment(name)}/changes", kind)
        return found or []

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
    ) -> AbstractAsyncContextManager[Stream]:
        """Streams its output, framed unless it has a TTY; `pyd_core.logs` reads it.

        Args:
            name: The container.
            follow: Go on with what it prints from now on.
            stdout: Include the standard output.
            stderr: Include the error output.
            since: Seconds since the epoch, with up to nine decimals.
            until: The same, for the end.
            timestamps: Each line begins with its time.
            tail: Lines from the end; None is all.
        """
        query = {
            "follow": follow,
            "stdout": stdout,
            "stderr": stderr,
            "since": since,
            "until": until,
            "timestamps": timestamps,
            "tail": "all" if tail is None else tail,
        }
        return self._session.stream("GET", f"/containers/{segment(name)}/logs", query)

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
        """Take part in what its main process reads and prints; framed unless it has a TTY.

        Args:
            name: The container.
            stdin: Send input too.
            output: Get its standard output.
            errors: Get its error output.
            logs: Begin with what it has printed so far.
            detach_keys: The sequence that lets go of it, as the docker CLI writes it; None is the engine's own.
        """
        query = {
            "stream": True,
            "stdin": stdin,
            "stdout": output,
            "stderr": errors,
            "logs": logs,
            "detachKeys": detach_keys,
        }
        return await self._session.upgrade(f"/containers/{segment(name)}/attach", query)

    async def stats(self, name: str) -> ContainerStats:
        """Return one sample at once (no rates: nothing to compare with)."""
        query = {"stream": False, "one-shot": True}
        return await self._session.get(f"/containers/{segment(name)}/stats", ContainerStats, query)

    @asynccontextmanager
    async def stats_stream(self, name: str) -> AsyncIterator[AsyncIterator[ContainerStats]]:
        """Streams about one sample a second."""
        async with self._session.stream("GET", f"/containers/{segment(name)}/stats", {"stream": True}) as stream:
            yield records(stream, ContainerStats)

    async def archive_get(self, name: str, path: str) -> bytes:
        """Return a tar of a file or directory inside it, running or not."""
        answer = await self._session.send("GET", f"/containers/{segment(name)}/archive", {"path": path}, timeout=None)
        return answer.body

    def archive_stream(self, name: str, path: str) -> AbstractAsyncContextManager[Stream]:
        """Streams a tar of a file or directory inside it."""
        return self._session.stream("GET", f"/containers/{segment(name)}/archive", {"path": path})

    def export(self, name: str) -> AbstractAsyncContextManager[Stream]:
        """Streams a tar of all its files, without those of its volumes."""
        return self._session.stream("GET", f"/containers/{segment(name)}/export")

    async def archive_stat(self, name: str, path: str) -> PathStat:
        """Tells what a path inside it is, links not followed.

        Raises:
            NotFound: There is no such container, or no such path in it.
        """
        answer = await self._session.send("HEAD", f"/containers/{segment(name)}/archive", {"path": path})
        return decode_stat(answer.headers)

    async def archive_put(
        self,
        name: str,
        path: str,
        tar: bytes | AsyncIterable[bytes],
        *,
        keep_owners: bool = False,
        overwrite_kinds: bool = False,
    ) -> None:
        """Unpack a tar into a directory inside it, running or not.

        Args:
            name: The container.
            path: The directory.
            tar: Compressed or not. Best without padding behind its two empty blocks: Podman stops reading there, and
                fails, now and then, when more comes (containers/buildah#6573).
            keep_owners: Owners by number as the tar has them; else all becomes root's.
            overwrite_kinds: A file may take a directory's place, and a directory a file's.
        """
        query: Query = {
            "path": path,
            "noOverwriteDirNonDir": not overwrite_kinds,
            "copyUIDGID": keep_owners or None,
        }
        where = f"/containers/{segment(name)}/archive"
        kind = {"Content-Type": "application/x-tar"}
        await self._session.send("PUT", where, query, raw=tar, headers=kind, timeout=None)

    async def commit(self, name: str, options: CommitOptions) -> str:
        """Make an image of its files as they are and return the image's id."""
        query: Query = {
            "container": name,
            "repo": options.repository or None,
            "tag": options.tag or None,
            "comment": options.comment or None,
            "author": options.author or None,
            "pause": options.pause,
            "changes": options.changes,
        }
        return decode(await self._session.post("/commit", query, body=options.config), Created).id

    async def resize(self, name: str, *, rows: int, columns: int) -> None:
        """Tells its terminal its size."""
        await self._verb(name, "resize", {"h": rows, "w": columns})

    async def _verb(self, name: str, verb: str, query: Mapping[str, str | int | None] | None = None) -> None:
        await self._session.post(f"/containers/{segment(name)}/{verb}", query)
