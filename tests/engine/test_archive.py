import io
import tarfile
from collections.abc import AsyncIterator

import pytest

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from support.docker import Docker, layer


def contents(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {member.name: file.read() for member in archive if (file := archive.extractfile(member)) is not None}


async def test_files_go_in_and_come_out_of_a_running_container(engine: EngineClient, running: str):
    await engine.containers.archive_put(running, "/tmp", layer({"a": b"one", "b": b"\0\xff" * 1000}))
    assert contents(await engine.containers.archive_get(running, "/tmp/a")) == {"a": b"one"}
    result = contents(await engine.containers.archive_get(running, "/tmp"))
    assert result["tmp/b"] == b"\0\xff" * 1000


async def test_files_go_in_and_come_out_of_one_that_never_ran(engine: EngineClient, corner: Docker, shell: str):
    name = corner.create("files", shell, "true")
    try:
        await engine.containers.archive_put(name, "/", layer({"x": b"here"}))
        async with engine.containers.archive_stream(name, "/x") as stream:
            assert contents(b"".join([chunk async for chunk in stream.chunks()])) == {"x": b"here"}
    finally:
        corner("rm", "-f", name)


async def test_a_streamed_archive_is_unpacked(engine: EngineClient, running: str):
    tar = layer({"big": b"z" * 300_000})

    async def pieces() -> AsyncIterator[bytes]:
        for offset in range(0, len(tar), 10_000):
            yield tar[offset : offset + 10_000]

    await engine.containers.archive_put(running, "/tmp", pieces())
    assert contents(await engine.containers.archive_get(running, "/tmp/big")) == {"big": b"z" * 300_000}


async def test_what_is_not_there_is_not_found(engine: EngineClient, running: str):
    with pytest.raises(NotFound):
        await engine.containers.archive_get(running, "/no/such/path")


async def test_what_lies_where_is_told_and_that_nothing_does(engine: EngineClient, running: str):
    """By HEAD, whose response has no body though its headers announce one."""
    assert (await engine.containers.archive_stat(running, "/tmp")).is_directory
    with pytest.raises(NotFound):
        await engine.containers.archive_stat(running, "/nowhere/at-all")
