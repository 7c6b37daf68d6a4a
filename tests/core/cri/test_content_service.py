"""Image layouts that a builder reads and fills: what it gets, and what it can't do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.oci_layout import LayoutDirectory
from pyd_core.cri.content_service import STORE_HEADER, ContentService
from pyd_core.cri.proto import content_pb2
from pyd_core.cri.proto.content_grpc import ContentStub
from pyd_core.errors import PydError
from support.session_pair import opened

DATA = b"x" * (3 << 20)
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def layout(tmp_path: Path) -> LayoutDirectory:
    blobs = tmp_path / "layout/blobs/sha256"
    blobs.mkdir(parents=True)
    (blobs / DIGEST[7:]).write_bytes(DATA)
    return LayoutDirectory(tmp_path / "layout", is_writable=True)


def files_of(layout: LayoutDirectory) -> set[str]:
    return {path.name for path in layout.path.rglob("*") if path.is_file()}


async def test_blobs_are_read_written_once_and_kept(layout: LayoutDirectory, tmp_path: Path) -> None:
    async with opened([ContentService({"local:l": layout})], tmp_path) as (session, _):
        store = session.content_store("local:l")
        assert await store.document(DIGEST) == DATA
        await store.write(digest_of(b"new"), 3, b"new")
        await store.write(DIGEST, len(DATA), DATA)
        assert await store.document(digest_of(b"new")) == b"new"
    assert files_of(layout) == {DIGEST[7:], digest_of(b"new")[7:]}


async def test_a_new_layout_is_made_by_the_first_blob(tmp_path: Path) -> None:
    layout = LayoutDirectory(tmp_path / "a/b", is_writable=True)
    async with opened([ContentService({"export": layout})], tmp_path) as (session, _):
        await session.content_store("export").write(DIGEST, len(DATA), DATA)
    assert files_of(layout) == {DIGEST[7:]}


async def test_a_part_of_a_blob_is_read(layout: LayoutDirectory, tmp_path: Path) -> None:
    async with opened([ContentService({"l": layout})], tmp_path) as (_, channel):
        stub, metadata = ContentStub(channel), [(STORE_HEADER, "l")]
        info = await stub.Info(content_pb2.InfoRequest(digest=DIGEST), metadata=metadata)
        assert info.info.size == len(DATA)
        request = content_pb2.ReadContentRequest(digest=DIGEST, offset=len(DATA) - 5, size=3)
        [part] = await stub.Read(request, metadata=metadata)
        assert (part.data, part.offset) == (b"xxx", len(DATA) - 5)
        for offset in (-1, len(DATA) + 1):
            with pytest.raises(GRPCError, match="ends before"):
                await stub.Read(content_pb2.ReadContentRequest(digest=DIGEST, offset=offset), metadata=metadata)


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:" + "A" * 64, "", f"{DIGEST}/.."])
async def test_a_builder_that_asks_for_another_path_gets_nothing(
    layout: LayoutDirectory, tmp_path: Path, digest: str
) -> None:
    async with opened([ContentService({"l": layout})], tmp_path) as (session, _):
        with pytest.raises(PydError, match="no digest"):
            await session.content_store("l").document(digest)


async def test_links_lead_nowhere_outside_of_a_layout(layout: LayoutDirectory, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("of this machine")
    name = digest_of(b"another")
    (layout.path / "blobs/sha256" / name[7:]).symlink_to(outside)
    async with opened([ContentService({"l": layout})], tmp_path) as (session, _):
        with pytest.raises(PydError, match="not found"):
            await session.content_store("l").document(name)


async def test_writing_through_a_linked_directory_stays_in_the_layout(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    layout = LayoutDirectory(tmp_path / "layout", is_writable=True)
    layout.path.mkdir()
    (layout.path / "blobs").symlink_to(outside)
    async with opened([ContentService({"l": layout})], tmp_path) as (session, _):
        with pytest.raises(PydError):
            await session.content_store("l").write(DIGEST, len(DATA), DATA)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("digest", "total", "words"),
    [(digest_of(b"other"), len(DATA), "digest mismatch"), (digest_of(b"other"), 1, "bytes, not 1")],
)
async def test_content_that_is_not_what_it_is_called_leaves_nothing(
    layout: LayoutDirectory, tmp_path: Path, digest: str, total: int, words: str
) -> None:
    before = files_of(layout)
    async with opened([ContentService({"l": layout})], tmp_path) as (session, _):
        with pytest.raises(PydError, match=words):
            await session.content_store("l").write(digest, total, DATA)
    assert files_of(layout) == before


async def test_a_write_that_breaks_off_leaves_nothing(layout: LayoutDirectory, tmp_path: Path) -> None:
    before = files_of(layout)
    async with opened([ContentService({"l": layout})], tmp_path) as (_, channel):
        async with ContentStub(channel).Write.open(metadata=[(STORE_HEADER, "l")]) as stream:
            request = content_pb2.WriteContentRequest(action=content_pb2.WRITE, expected=digest_of(b"ab"), data=b"a")
            await stream.send_message(request)
            assert await stream.recv_message() is not None
            assert files_of(layout) > before
            await stream.cancel()
        with pytest.raises(GRPCError, match="not found"):  # answered after the cancelled call has ended
            await ContentStub(channel).Status(content_pb2.StatusRequest(ref="r"))
    assert files_of(layout) == before


async def test_only_layouts_to_fill_are_written_and_only_named_ones_read(
    layout: LayoutDirectory, tmp_path: Path
) -> None:
    readable = LayoutDirectory(layout.path)
    async with opened([ContentService({"oci:a": readable})], tmp_path) as (session, _):
        with pytest.raises(PydError, match="read-only"):
            await session.content_store("oci:a").write(digest_of(b"new"), 3, b"new")
        with pytest.raises(PydError, match="no such content store"):
            await session.content_store("oci:b").document(DIGEST)


def test_an_index_names_images_and_keeps_those_of_other_tags(tmp_path: Path) -> None:
    layout = LayoutDirectory(tmp_path)
    first, second = ({"mediaType": "m", "digest": digest_of(text), "size": 1} for text in (b"1", b"2"))
    layout.put(first, ["registry.example:5000/app:1"])
    assert layout.find() == first["digest"]
    assert layout.find("1") == first["digest"]
    layout.put(second)
    assert layout.find() == second["digest"]
    layout.put(second, ["docker.io/library/app:1"])
    assert layout.find("1") == second["digest"]
    document = json.loads((tmp_path / "index.json").read_text())
    assert [entry["digest"] for entry in document["manifests"]] == [second["digest"], second["digest"]]
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    with pytest.raises(PydError, match="has no image 'x'"):
        layout.find("x")


@pytest.mark.parametrize("text", ["", "[]", '{"manifests": 5}', '{"manifests": [1]}', "[" * 100_000])
def test_a_malformed_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(PydError, match=r"index\.json"):
        LayoutDirectory(tmp_path).find()
