"""Copies of files by the programs of a container; the scripted exec runs them on this machine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import NotFound, Unsupported
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_client import ClusterClient
from support.kube.server import ScriptedCluster


@pytest_asyncio.fixture
async def engine(cluster: ScriptedCluster) -> AsyncIterator[ClusterClient]:
    cluster.load_state("running")
    access = ClusterAccess(context="c", namespace="states", settings=AccessSettings(server=cluster.url))
    async with ClusterClient(Endpoint(url="kube://c/states"), access) as client:
        yield client


def archive() -> bytes:
    """A tar with one file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"world"))
    return data.getvalue()


async def test_a_directory_is_streamed_as_a_tar(engine: ClusterClient, tmp_path: Path):
    (tmp_path / "-odd dir").mkdir()
    (tmp_path / "-odd dir/file").write_bytes(b"x" * 300_000)
    data = await engine.containers.archive_get("running/app", f"{tmp_path}/-odd dir")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["-odd dir", "-odd dir/file"]
        assert tar.getmember("-odd dir/file").size == 300_000


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
async def test_a_tar_is_unpacked_whether_input_can_be_closed_or_not(
    cluster: ScriptedCluster, engine: ClusterClient, tmp_path: Path, protocol: str
):
    cluster.protocols = (protocol,)
    await engine.containers.archive_put("running/app", str(tmp_path), archive())
    assert (tmp_path / "hello").read_bytes() == b"world"


async def test_types_of_paths_are_those_of_the_archive_api(engine: ClusterClient, tmp_path: Path):
    (tmp_path / "file").write_text("abc")
    (tmp_path / "link").symlink_to("file")
    stat = await engine.containers.archive_stat("running/app", str(tmp_path / "file"))
    assert (stat.name, stat.size, stat.is_directory, stat.is_link) == ("file", 3, False, False)
    assert (await engine.containers.archive_stat("running/app", str(tmp_path))).is_directory
    link = await engine.containers.archive_stat("running/app", str(tmp_path / "link"))
    assert (link.is_link, link.link_target) == (True, "file")


async def test_a_path_that_is_not_there_is_reported(engine: ClusterClient, tmp_path: Path):
    with pytest.raises(NotFound):
        await engine.containers.archive_stat("running/app", str(tmp_path / "none"))
    with pytest.raises(NotFound):
        await engine.containers.archive_get("running/app", str(tmp_path / "none"))
    with pytest.raises(NotFound):
        await engine.containers.archive_put("running/app", str(tmp_path / "none"), archive())


async def test_a_container_without_tar_is_reported_with_another_way(
    cluster: ScriptedCluster, engine: ClusterClient, tmp_path: Path
):
    cluster.environment["PATH"] = str(tmp_path)
    with pytest.raises(Unsupported) as caught:
        await engine.containers.archive_get("running/app", "/etc")
    assert "pyd debug" in caught.value.hint
