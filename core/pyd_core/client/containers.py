"""Containers of an engine."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from pyd_core.client.api_client import ApiClient, Query, segment
from pyd_core.client.json_stream import read_records
from pyd_core.client.options import CommitOptions
from pyd_core.client.transport.base import Duplex, Stream
from pyd_core.errors import Conflict, PydError, Unsupported
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
    """`engine.containers`: everything under `/containers`. Names and unambiguous id prefixes both work."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def list(
        self, *, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int | None = None
    ) -> list[ContainerSummary]:
        """Return the containers, newest first; only running ones unless `all`."""
        query = {"all": all, "filters": filters, "size": size or None, "limit": limit}
        return await self._client.get("/containers/json", list[ContainerSummary], query)

    async def inspect(self, name: str, *, size: bool = False) -> Container:
        """Return a container's full inspect data."""
        return decode(await self.inspect_raw(name, size=size), Container, what=f"inspect of {name}")

    async def inspect_raw(self, name: str, *, size: bool = False) -> bytes:
        """Return the engine's JSON unchanged, with the fields that the models lack."""
        path = f"/containers/{segment(name)}/json"
        return (await self._client.send("GET", path, {"size": size or None})).body

    async def describe(self, name: str) -> tuple[bytes, Container]:
        """Return a container's data as the provider has it, and in the shared model."""
        body = await self.inspect_raw(name)
        return body, decode(body, Container, what=f"inspect of {name}")

    async def create(
        self, body: CreateBody | Mapping[str, object], *, name: str | None = None, platform: str | None = None
    ) -> Created:
        """Create a container.

        Args:
            body: The body of `POST /containers/create`; plain data may hold fields that the models lack.
            name: None lets the engine choose.
            platform: `os/architecture` of the image; None takes the local image, whatever its platform.

        Raises:
            NotFound: There is no such image.
        """
        query = {"name": name, "platform": platform}
        return decode(await self._client.post("/containers/create", query, body=body), Created)

    async def start(self, name: str, *, detach_keys: str | None = None) -> None:
        """Start a container; one that runs already is no error."""
        await self._verb(name, "start", {"detachKeys": detach_keys})

    async def stop(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Send its stop signal, and SIGKILL after `grace` seconds; a container that isn't running is no error."""
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
        """Resume its processes."""
        await self._verb(name, "unpause")

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a container."""
        await self._verb(name, "rename", {"name": new_name})

    async def update(self, name: str, body: UpdateBody | Mapping[str, object]) -> WarningList:
        """Change the limits and restart policy of a container and return the engine's warnings."""
        response = await self._client.post(f"/containers/{segment(name)}/update", body=body)
        return decode(response, Updated).warnings or []

    async def remove(self, name: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Remove a container; `force` kills it first, `volumes` also removes its anonymous volumes."""
        query = {"force": force or None, "v": volumes or None, "link": link or None}
        await self._client.send("DELETE", f"/containers/{segment(name)}", query, timeout=None)

    async def discard(self, name: str) -> None:
        """Remove a container if it is still there; wait where the engine is removing it already."""
        with suppress(PydError):  # the container is gone, or the engine is
            try:
                await self.remove(name, force=True)
            except Conflict:
                await self.wait(name, condition="removed")

    async def prune(self, *, filters: Filters | None = None) -> Pruned:
        """Remove all stopped containers."""
        return decode(await self._client.post("/containers/prune", {"filters": filters}), Pruned)

    async def wait(self, name: str, *, condition: str = "not-running") -> WaitResult:
        """Wait until it is `not-running`, until its `next-exit`, or until it is `removed`."""
        path = f"/containers/{segment(name)}/wait"
        return decode(await self._client.post(path, {"condition": condition}), WaitResult)

    @asynccontextmanager
    async def waiting(self, name: str, *, condition: str) -> AsyncIterator[Callable[[], Awaitable[WaitResult]]]:
        """Start a wait as `wait` does; once the block is entered, no later change is missed."""
        path = f"/containers/{segment(name)}/wait"
        async with self._client.stream("POST", path, {"condition": condition}) as stream:

            async def result() -> WaitResult:
                return decode(b"".join([chunk async for chunk in stream.chunks()]), WaitResult)

            yield result

    async def top(self, name: str, *, ps_args: str | None = None) -> Processes:
        """Return its processes as the host's `ps` lists them."""
        return await self._client.get(f"/containers/{segment(name)}/top", Processes, {"ps_args": ps_args})

    async def changes(self, name: str) -> ChangeList:
        """Return the paths that differ from the image."""
        kind = ChangeList | None
        changes: ChangeList | None = await self._client.get(f"/containers/{segment(name)}/changes", kind)
        return changes or []

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
        """Stream its output, framed unless it has a TTY; `pyd_core.logs` reads it.

        Args:
            name: The container.
            follow: Continue with new output.
            stdout: Include the standard output.
            stderr: Include the error output.
            since: Start time in seconds since the epoch, with up to nine decimals.
            until: End time, in the same form.
            timestamps: Start each line with its time.
            tail: Number of lines from the end; None is all.
            previous: Only the run before the current one, which clusters store.

        Raises:
            Unsupported: `previous` is set: an engine stores all runs in one log.
        """
        if previous:
            raise Unsupported(
                "an engine stores all runs of a container in one log", hint="leave --previous out", reference="one-log"
            )
        query = {
            "follow": follow,
            "stdout": stdout,
            "stderr": stderr,
            "since": since,
            "until": until,
            "timestamps": timestamps,
            "tail": "all" if tail is None else tail,
        }
        return self._client.stream("GET", f"/containers/{segment(name)}/logs", query)

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
        """Attach to the streams of its main process; the output is framed unless it has a TTY.

        Args:
            name: The container.
            stdin: Send input too.
            output: Receive its standard output.
            errors: Receive its error output.
            logs: Start with the output so far.
            detach_keys: The key sequence that detaches, in the docker CLI's form; None is the engine's default.
        """
        query = {
            "stream": True,
            "stdin": stdin,
            "stdout": output,
            "stderr": errors,
            "logs": logs,
            "detachKeys": detach_keys,
        }
        return await self._client.upgrade(f"/containers/{segment(name)}/attach", query)

    async def stats(self, name: str) -> ContainerStats:
        """Return one sample immediately; without a second one there are no rates."""
        query = {"stream": False, "one-shot": True}
        return await self._client.get(f"/containers/{segment(name)}/stats", ContainerStats, query)

    @asynccontextmanager
    async def stats_stream(self, name: str) -> AsyncIterator[AsyncIterator[ContainerStats]]:
        """Stream about one sample per second."""
        async with self._client.stream("GET", f"/containers/{segment(name)}/stats", {"stream": True}) as stream:
            yield read_records(stream, ContainerStats)

    async def archive_get(self, name: str, path: str) -> bytes:
        """Return a tar of a file or directory in the container, running or not."""
        response = await self._client.send("GET", f"/containers/{segment(name)}/archive", {"path": path}, timeout=None)
        return response.body

    def archive_stream(self, name: str, path: str) -> AbstractAsyncContextManager[Stream]:
        """Stream a tar of a file or directory of the container."""
        return self._client.stream("GET", f"/containers/{segment(name)}/archive", {"path": path})

    def export(self, name: str) -> AbstractAsyncContextManager[Stream]:
        """Stream a tar of all its files except those in volumes."""
        return self._client.stream("GET", f"/containers/{segment(name)}/export")

    async def archive_stat(self, name: str, path: str) -> PathStat:
        """Return the metadata of a path in the container, without following links.

        Raises:
            NotFound: There is no such container, or no such path in it.
        """
        response = await self._client.send("HEAD", f"/containers/{segment(name)}/archive", {"path": path})
        return decode_stat(response.headers)

    async def archive_put(
        self,
        name: str,
        path: str,
        tar: bytes | AsyncIterable[bytes],
        *,
        keep_owners: bool = False,
        overwrite_kinds: bool = False,
    ) -> None:
        """Unpack a tar into a directory of the container, running or not.

        Args:
            name: The container.
            path: The directory.
            tar: Compressed or not. Best without padding after its two empty blocks: Podman stops reading there, and
                sometimes fails when more follows (containers/buildah#6573).
            keep_owners: Keep the numeric owners of the tar; otherwise everything belongs to root.
            overwrite_kinds: Allow a file to replace a directory, and a directory a file.
        """
        query: Query = {
            "path": path,
            "noOverwriteDirNonDir": not overwrite_kinds,
            "copyUIDGID": keep_owners or None,
        }
        target = f"/containers/{segment(name)}/archive"
        headers = {"Content-Type": "application/x-tar"}
        await self._client.send("PUT", target, query, raw=tar, headers=headers, timeout=None)

    async def commit(self, name: str, options: CommitOptions) -> str:
        """Create an image of its files and return the image's id."""
        query: Query = {
            "container": name,
            "repo": options.repository or None,
            "tag": options.tag or None,
            "comment": options.comment or None,
            "author": options.author or None,
            "pause": options.pause,
            "changes": options.changes,
        }
        return decode(await self._client.post("/commit", query, body=options.config), Created).id

    async def resize(self, name: str, *, rows: int, columns: int) -> None:
        """Set the size of its terminal."""
        await self._verb(name, "resize", {"h": rows, "w": columns})

    async def _verb(self, name: str, verb: str, query: Mapping[str, str | int | None] | None = None) -> None:
        await self._client.post(f"/containers/{segment(name)}/{verb}", query)
