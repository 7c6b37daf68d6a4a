"""The services of a build's session, called by the engine's side of it."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpclib.exceptions import GRPCError, StreamTerminatedError

from pyd_core.buildkit.client.auth import AuthService
from pyd_core.buildkit.client.file_send import FileSendService
from pyd_core.buildkit.client.file_sync import FileSyncService
from pyd_core.buildkit.client.request import BuildOutput
from pyd_core.buildkit.client.secrets import SecretSource, SecretsService
from pyd_core.buildkit.client.ssh_agent import SshService
from pyd_core.buildkit.client.upload import URL_PREFIX, UploadService
from pyd_core.buildkit.proto.filesync_grpc import FileSendStub
from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc.channel import AdoptedChannel
from pyd_core.buildkit.rpc.framing import RawMessage
from pyd_core.daemon.build.session.client_session import RemoteSession
from pyd_core.errors import EngineError, NotFound, PydError
from support.session_pair import opened


async def sync(session: RemoteSession, destination: Path, **options: Any) -> dict[str, Any]:
    descriptor = os.open(destination, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return dict((await session.sync_directory(name="context", destination_fd=descriptor, **options)).entries)
    finally:
        os.close(descriptor)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "src/deep").mkdir(parents=True)
    (root / "other").mkdir()
    (root / "src/a.txt").write_text("a")
    (root / "src/deep/b.txt").write_bytes(os.urandom(700_000))
    (root / "src/skip.log").write_text("log")
    (root / "other/ünï.txt").write_text("ü")
    (root / "src/link").symlink_to("deep/b.txt")
    (root / "src/hard").hardlink_to(root / "src/a.txt")
    (root / "src-more").write_text("sorts after src and before nothing in it")
    (root / "empty").touch(mode=0o600)
    return root


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.mkdir()
    return path


async def test_a_directory_arrives_with_contents_links_and_modes(context: Path, destination: Path, tmp_path: Path):
    async with opened([FileSyncService({"context": context})], tmp_path) as (session, _):
        entries = await sync(session, destination)
    assert sorted(entries) == sorted(listed(context))
    for name, path in listed(context).items():
        copy = destination / name
        assert copy.lstat().st_mode == path.lstat().st_mode
        if path.is_symlink():
            assert copy.readlink() == path.readlink()
        elif path.is_file():
            assert copy.read_bytes() == path.read_bytes()


async def test_only_what_patterns_and_followed_links_choose_is_sent(context: Path, destination: Path, tmp_path: Path):
    async with opened([FileSyncService({"context": context})], tmp_path) as (session, _):
        entries = await sync(session, destination, follow_paths=["src/link", "other/ü*"], exclude=["**/*.log"])
        assert sorted(entries) == ["other", "other/ünï.txt", "src", "src/deep", "src/deep/b.txt", "src/link"]
        (destination / "second").mkdir()
        entries = await sync(session, destination / "second", exclude=["src", "!src/a.txt", "other"])
        assert sorted(entries) == ["empty", "src", "src-more", "src/a.txt"]


async def test_links_and_paths_out_of_the_directory_are_never_followed(
    context: Path, destination: Path, tmp_path: Path
):
    (tmp_path / "outside").write_text("outside")
    (context / "out").symlink_to("../outside")
    (context / "absolute").symlink_to(tmp_path / "outside")
    (context / "up").symlink_to("..")
    async with opened([FileSyncService({"context": context})], tmp_path) as (session, _):
        entries = await sync(session, destination, follow_paths=["out", "absolute", "up/outside", "../outside"])
        assert sorted(entries) == ["absolute", "out", "up"]
        assert all((destination / name).is_symlink() for name in entries)


async def test_directories_that_the_build_does_not_have_are_refused(context: Path, destination: Path, tmp_path: Path):
    async with opened([FileSyncService({"other": context})], tmp_path) as (session, _):
        with pytest.raises(NotFound, match="no access to the directory"):
            await sync(session, destination)


async def test_a_file_that_grows_is_sent_as_it_was_announced(context: Path, destination: Path, tmp_path: Path):
    size = (context / "src/deep/b.txt").stat().st_size
    service = FileSyncService({"context": context})
    async with opened([service], tmp_path) as (session, _):
        await sync(session, destination)
        with (context / "src/deep/b.txt").open("ab") as file:
            file.write(b"x" * 100)
        entries = await sync(session, destination)
    assert (destination / "src/deep/b.txt").stat().st_size == size + 100
    assert entries["src/deep/b.txt"] is not None


async def test_secrets_come_from_files_and_variables_and_only_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "token").write_bytes(b"from a file\n")
    (tmp_path / "large").write_bytes(b"x" * 600_000)
    monkeypatch.setenv("TOKEN", "from a variable")
    sources = {
        "file": SecretSource(path=tmp_path / "token"),
        "variable": SecretSource(variable="TOKEN"),
        "large": SecretSource(path=tmp_path / "large"),
        "gone": SecretSource(path=tmp_path / "gone"),
    }
    async with opened([SecretsService(sources)], tmp_path) as (session, _):
        assert await session.secret("file") == b"from a file\n"
        assert await session.secret("variable") == b"from a variable"
        for missing in ("HOME", "gone", ""):
            with pytest.raises(NotFound):
                await session.secret(missing)
        with pytest.raises(PydError, match="more than 512000 bytes"):
            await session.secret("large")


async def test_credentials_of_the_public_registry_have_its_other_name(tmp_path: Path):
    logins = {"docker.io": ("me", "secret"), "registry.example": ("", "token")}
    async with opened([AuthService(logins.get)], tmp_path) as (session, _):
        assert await session.credentials("registry-1.docker.io") == ("me", "secret")
        assert await session.credentials("registry.example") == ("", "token")
        assert await session.credentials("unknown.example") is None


async def test_the_ssh_agent_is_reached_through_the_session(tmp_path: Path):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data[::-1])
        writer.close()

    agent = await asyncio.start_unix_server(answer, tmp_path / "agent")
    sockets = tmp_path / "forwarded"
    sockets.mkdir()
    async with agent, opened([SshService({"default": tmp_path / "agent"})], sockets) as (session, _):
        async with session.ssh_agent("") as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"abc")
            assert await reader.readexactly(3) == b"cba"
            writer.close()
        with pytest.raises(PydError):
            async with session.ssh_agent("other"):
                pass


async def test_an_upload_can_be_read_once(tmp_path: Path):
    uploads = UploadService()
    content = os.urandom(300_000)
    url = uploads.add(lambda: io.BytesIO(content))
    path = url.removeprefix(URL_PREFIX)
    async with opened([uploads], tmp_path) as (session, _):
        async with session.upload(path) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == content
        with pytest.raises(NotFound):
            async with session.upload(path) as chunks:
                assert [chunk async for chunk in chunks] == []


async def test_an_exported_file_appears_complete_or_not_at_all(tmp_path: Path):
    target = tmp_path / "image.tar"
    target.write_text("old")

    async def chunks(*, fail: bool) -> AsyncIterator[bytes]:
        yield b"new " * 1000
        if fail:
            raise EngineError("stopped")

    service = FileSendService([BuildOutput(type="tar", destination=str(target))])
    async with opened([service], tmp_path) as (session, channel):
        with pytest.raises(EngineError):
            await session.send_file(chunks(fail=True), {})
        assert target.read_text() == "old"
        await session.send_file(chunks(fail=False), {})
        assert target.read_text() == "new " * 1000
    del channel
    assert [*listed(tmp_path)] == ["image.tar"]


async def test_an_exported_directory_is_merged_into_the_destination(context: Path, tmp_path: Path):
    destination = tmp_path / "out"
    (destination / "src").mkdir(parents=True)
    (destination / "src/mine").write_text("stays")
    (destination / "src/a.txt").write_text("is replaced")
    descriptor = os.open(context, os.O_RDONLY | os.O_DIRECTORY)
    try:
        service = FileSendService([BuildOutput(type="local", destination=str(destination))])
        async with opened([service], tmp_path) as (session, _):
            await session.send_directory(descriptor, {})
    finally:
        os.close(descriptor)
    assert (destination / "src/mine").read_text() == "stays"
    assert (destination / "src/a.txt").read_text() == "a"
    assert (destination / "src/link").readlink() == Path("deep/b.txt")
    assert (destination / "src/deep/b.txt").read_bytes() == (context / "src/deep/b.txt").read_bytes()
    assert (destination / "empty").stat().st_mode & 0o777 == 0o600


LINK = 1 << 27
DIRECTORY = 1 << 31


@pytest.mark.parametrize(
    "announced",
    [
        [Stat(path="../escape", mode=0o644)],
        [Stat(path="/escape", mode=0o644)],
        [Stat(path="a/../../escape", mode=0o644)],
        [Stat(path="link", mode=LINK | 0o777, linkname=".."), Stat(path="link/escape", mode=0o644)],
        [Stat(path="planted/escape", mode=0o644)],
        [Stat(path="planted/dir", mode=DIRECTORY | 0o755), Stat(path="planted/dir/escape", mode=0o644)],
        [Stat(path="hard", mode=0o644, linkname="../victim")],
        [Stat(path="", mode=0o644)],
        [Stat(path="a\0b", mode=0o644)],
    ],
)
async def test_an_engine_writes_nothing_outside_the_destination(announced: list[Stat], tmp_path: Path):
    destination, outside = tmp_path / "out", tmp_path / "outside"
    destination.mkdir()
    outside.mkdir()
    (tmp_path / "victim").write_text("untouched")
    (destination / "planted").symlink_to(outside)
    service = FileSendService([BuildOutput(type="local", destination=str(destination))])
    async with opened([service], tmp_path) as (_, channel):
        with pytest.raises((GRPCError, StreamTerminatedError)):
            await send_tree(channel, announced)
    assert escaped(tmp_path) == []
    assert (tmp_path / "victim").stat().st_nlink == 1


async def send_tree(channel: AdoptedChannel, announced: list[Stat]) -> None:
    """Send files to the session as an engine does, and the same content for each that it requests."""
    method: Any = FileSendStub(channel).DiffCopy
    method.request_type = method.reply_type = RawMessage

    def raw(packet: Packet) -> RawMessage:
        return RawMessage(packet.SerializeToString())

    async with method.open() as stream:
        await stream.send_request()
        for item in announced:
            await stream.send_message(raw(Packet(type=Packet.PACKET_STAT, stat=item)))
        await stream.send_message(raw(Packet()))
        while (message := await stream.recv_message()) is not None:
            request = Packet.FromString(message.data)
            if request.type == Packet.PACKET_REQ:
                await stream.send_message(raw(Packet(type=Packet.PACKET_DATA, ID=request.ID, data=b"escaped")))
                await stream.send_message(raw(Packet(type=Packet.PACKET_DATA, ID=request.ID)))
            elif request.type == Packet.PACKET_FIN:
                await stream.send_message(raw(Packet(type=Packet.PACKET_FIN)))
                await stream.end()


def escaped(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if "escape" in path.name or path.parent.name == "outside"]


def listed(root: Path) -> dict[str, Path]:
    return {str(path.relative_to(root)): path for path in root.rglob("*")}
