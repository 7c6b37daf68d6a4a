from __future__ import annotations

import socket
import tarfile
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import NotFound, PydError
from pyd_core.files.archive import ArchiveFiles
from pyd_core.files.choice import open_files
from pyd_core.files.download import download
from pyd_core.files.entry import DirectoryListing, Files
from support.docker import LONE, Docker

MAKE = (
    "mkdir -p /d/sub; echo text > /d/file; ln -s /etc /d/abs; ln -s ../../../../etc/hostname /d/up; mkfifo /d/pipe; "
    "ln -s /proc/1/root/etc /d/magic; rm -f /bin/ash; printf 'x%.0s' $(seq 1 3000) > /d/sub/long; echo ready; "
)


def names(listing: DirectoryListing) -> list[tuple[str, str, int]]:
    return [(entry.name, entry.kind, entry.size if entry.kind == "file" else 0) for entry in listing.entries]


EXPECTED = [
    ("sub", "directory", 0),
    ("abs", "link", 0),
    ("file", "file", 5),
    ("magic", "link", 0),
    ("pipe", "pipe", 0),
    ("up", "link", 0),
]


async def look(files: Files) -> None:
    assert names(await files.list("/d")) == EXPECTED
    assert await files.read("/d/file", 100) == b"text\n"
    assert await files.read("/d/sub/long", 10, 2995) == b"xxxxx"
    assert "ash" not in [entry.name for entry in (await files.list("/bin")).entries]
    assert not any(entry.name == "shadow" for entry in (await files.list("/d/abs")).entries)
    for path in ("/d/nothing", "/d/sub"):
        with pytest.raises(NotFound):
            await files.read(path, 10)
    for path in ("/d/file", "/nowhere", "/d/pipe"):
        with pytest.raises(NotFound):
            await files.list(path)


async def test_files_are_the_same_by_every_way_and_no_link_leads_to_the_hosts(
    corner: Docker, shell: str, tmp_path: Path
):
    name = corner.run("files", shell, "sh", "-c", f"{MAKE} exec sleep 600", options=LONE)
    async with open_engine(Endpoint(url=corner.host)) as engine:
        printed = b""
        async with engine.containers.logs(name, follow=True) as log:
            async for chunk in log.chunks():
                printed += chunk
                if b"ready" in printed:
                    break
        result = await engine.containers.inspect(name)
        live = await open_files(engine, result)
        assert live.way == "live"
        archive = ArchiveFiles(engine, result.id)
        await look(live)
        await look(archive)
        with pytest.raises(NotFound):
            await live.read("/d/pipe", 1)  # and it doesn't wait for a writer
        with pytest.raises(PydError):
            await live.list("/d/magic")
        assert (await live.read("/d/up", 100)).decode().strip() != socket.gethostname()
        reported: list[tuple[int, int]] = []
        item = await download(engine, result.id, "/d/sub/long", tmp_path, lambda *how: reported.append(how))
        assert (item.path.read_bytes(), reported[-1]) == (b"x" * 3000, (3000, 3000))
        whole = await download(engine, result.id, "/d", tmp_path, lambda *_: None)
        with tarfile.open(whole.path) as tar:
            assert {member.name.rstrip("/") for member in tar} >= {"d", "d/sub/long", "d/pipe"}
        assert (item.path.name, whole.path.name) == ("long", "d.tar")

        corner("kill", "--signal", "KILL", name)
        corner("wait", name)
        stopped = await open_files(engine, await engine.containers.inspect(name))
        await look(stopped)
        await look(archive)
        with pytest.raises(NotFound):
            await live.list("/")
    corner("rm", "-f", name)
