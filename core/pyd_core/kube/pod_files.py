"""Files of a pod's containers, through programs that the container has itself: tar, stat and readlink."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pyd_core.client.frames import FrameDecoder
from pyd_core.client.transport.base import Stream
from pyd_core.errors import EngineError, NotFound, PydError, StreamInterrupted, Unsupported
from pyd_core.kube.channels import NOT_EXECUTABLE, NOT_FOUND, STDOUT, ProcessStreams, open_exec, run_command
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.container_view import PodMember
from pyd_core.model.archive import PathStat
from pyd_core.sanitise import safe, safe_bytes
from pyd_core.tasks import TaskOwner

TAR_RECORD_BYTES = 10240
"""tar reads whole records: a stream that can't be closed has to end with one."""
MAX_ERROR_BYTES = 4096
_GO_DIRECTORY, _GO_LINK = 1 << 31, 1 << 27
_KIND_MASK, _DIRECTORY, _LINK = 0o170000, 0o040000, 0o120000


def absolute(path: str) -> str:
    """Return a path from the container's root, so that no program takes it for an option."""
    return posixpath.join("/", path)


async def path_stat(api: ClusterApi, member: PodMember, path: str) -> PathStat:
    """Return the type and size of a path, without following a link.

    Raises:
        NotFound: There is no such path.
        Unsupported: The container has no `stat`.
    """
    path = absolute(path)
    code, output, errors, _ = await run_command(api, member, ["stat", "-c", "%f %s %Y", path], max_output_bytes=65536)
    if code in {None, NOT_FOUND, NOT_EXECUTABLE}:
        raise _lacks(member, "stat")
    fields = output.split()
    if code or len(fields) != 3:
        raise _error(member, path, errors)
    try:
        mode, size = int(fields[0], 16), int(fields[1])
    except ValueError as error:
        raise EngineError(f"stat in {member.name} printed unexpected output: {safe_bytes(output[:100])}") from error
    target = ""
    if mode & _KIND_MASK == _LINK:
        code, output, _, _ = await run_command(api, member, ["readlink", path], max_output_bytes=65536)
        target = output.decode(errors="replace").removesuffix("\n") if code == 0 else ""
    kind = {_DIRECTORY: _GO_DIRECTORY, _LINK: _GO_LINK}.get(mode & _KIND_MASK, 0)
    return PathStat(name=posixpath.basename(path), size=size, mode=mode & 0o777 | kind, link_target=target)


class _ArchiveBody:
    """The output of a tar in the container."""

    def __init__(self, streams: ProcessStreams, member: PodMember, path: str) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = {"content-type": "application/x-tar"}
        self._streams = streams
        self._member = member
        self._path = path

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the archive as it arrives.

        Raises:
            NotFound: There is no such path.
            Unsupported: The container has no tar.
            StreamInterrupted: tar stopped in the middle.
        """
        decoder = FrameDecoder()
        errors = b""
        sent = False
        while data := await self._streams.read():
            if self._streams.refusal:
                break
            for frame in decoder.feed(data):
                if frame.stream == STDOUT:
                    sent = True
                    yield frame.data
                else:
                    errors = (errors + frame.data)[:MAX_ERROR_BYTES]
        code = self._streams.exit_code
        if code in {NOT_FOUND, NOT_EXECUTABLE}:
            raise _lacks(self._member, "tar")
        if code is None:
            raise StreamInterrupted(f"{self._member.name} stopped sending files")
        if code and not sent:
            raise _error(self._member, self._path, errors)
        if code and b"No such file" in errors:
            raise _error(self._member, self._path, errors)


@asynccontextmanager
async def open_archive(api: ClusterApi, member: PodMember, path: str) -> AsyncIterator[Stream]:
    """Stream a tar of a file or directory.

    Raises:
        PydError: The command can't be started.
    """
    path = absolute(path).rstrip("/") or "/"
    parent, name = posixpath.split(path)
    command = ["tar", "-C", parent, "-cf", "-", "--", name or "."]
    streams = await open_exec(api, member, command)
    try:
        yield _ArchiveBody(streams, member, path)
    finally:
        await streams.aclose()


async def unpack(
    api: ClusterApi, member: PodMember, path: str, tar: bytes | AsyncIterable[bytes], *, keep_owners: bool
) -> None:
    """Unpack a tar into a directory.

    Raises:
        NotFound: There is no such directory.
        Unsupported: The container has no tar.
    """
    command = ["tar", "-C", absolute(path), "-x", *([] if keep_owners else ["-o"]), "-f", "-"]
    streams = await open_exec(api, member, command, stdin=True)
    errors = b""
    try:
        async with TaskOwner(on_error=lambda _: None) as tasks:
            tasks.start(_send(streams, tar))
            decoder = FrameDecoder()
            while data := await streams.read():
                for frame in decoder.feed(data):
                    errors = (errors + frame.data)[:MAX_ERROR_BYTES]
    finally:
        await streams.aclose()
    if streams.exit_code in {NOT_FOUND, NOT_EXECUTABLE}:
        raise _lacks(member, "tar")
    if streams.exit_code != 0:
        raise _error(member, path, errors)


async def _send(streams: ProcessStreams, tar: bytes | AsyncIterable[bytes]) -> None:
    size = 0
    if isinstance(tar, bytes):
        size = len(tar)
        await streams.write(tar)
    else:
        async for chunk in tar:
            size += len(chunk)
            await streams.write(chunk)
    await streams.write(bytes(2 * TAR_RECORD_BYTES - size % TAR_RECORD_BYTES))
    await streams.close_write()


def _lacks(member: PodMember, program: str) -> Unsupported:
    return Unsupported(
        f"{member.name} has no {program}, by which a cluster copies files",
        hint=f"pyd debug pod/{member.name} reaches its files at $PYD_TARGET",
        reference="no-tar",
    )


def _error(member: PodMember, path: str, errors: bytes) -> PydError:
    text = safe_bytes(errors.strip().partition(b"\n")[0])[:300]
    if "No such file" in text or "can't stat" in text or "can't change directory" in text or "Not found" in text:
        return NotFound(f"no such path in {member.name}: {safe(path)}", reference="no-such-file")
    return EngineError(f"{member.name}: {text or f'reading {safe(path)} failed'}")
