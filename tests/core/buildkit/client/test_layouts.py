"""The layouts of a build: their ids, and the indexes after it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from pyd_core.buildkit.client.layouts import BuildLayouts, write_indexes
from pyd_core.buildkit.client.oci_layout import LayoutDirectory
from pyd_core.buildkit.client.request import BuildOutput, BuildRequest, BuildResult, CacheEntry
from pyd_core.errors import NotFound, ProtocolError

BLOB = b"a manifest"
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
DESCRIPTOR = {"mediaType": "m", "digest": DIGEST, "size": len(BLOB)}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    directory = tmp_path / "layout"
    with LayoutDirectory(directory).begin() as writer:
        writer.write(BLOB)
        writer.commit(DIGEST)
    LayoutDirectory(directory).put(DESCRIPTOR, ["app:1"])
    return directory


def test_a_context_is_named_by_tag_digest_or_as_the_only_one(layout: Path) -> None:
    layouts = BuildLayouts()
    for text, tag in ((f"{layout}", "latest"), (f"{layout}:1", "1"), (f"{layout}@{DIGEST}", "latest")):
        store, _, rest = layouts.add_context(f"oci-layout://{text}").removeprefix("oci-layout://").partition(":")
        assert rest == f"{tag}@{DIGEST}"
        assert layouts.by_id[f"oci:{store}"].path == layout
        assert not layouts.by_id[f"oci:{store}"].is_writable
    for text in (f"{layout}:2", f"{layout}@sha256:{'0' * 64}", "/nowhere"):
        with pytest.raises(NotFound):
            layouts.add_context(f"oci-layout://{text}")


def test_a_cache_that_does_not_exist_yet_is_left_out(layout: Path) -> None:
    layouts = BuildLayouts()
    entries = [CacheEntry("local", {"src": "/nowhere"}), CacheEntry("local", {"src": str(layout), "tag": "1"})]
    [entry] = layouts.add_imports(entries)
    assert entry.attributes["digest"] == DIGEST
    assert not layouts.by_id[f"local:{layout}"].is_writable
    layouts.add_exports([CacheEntry("local", {"dest": str(layout)})])
    assert layouts.by_id[f"local:{layout}"].is_writable


def request_of(layout: Path) -> BuildRequest:
    outputs = (BuildOutput(type="oci", attributes={"name": "docker.io/library/app:2"}, layout=layout),)
    layouts = BuildLayouts()
    layouts.add_outputs(outputs)
    return BuildRequest(outputs=outputs, layouts=layouts.by_id)


def test_the_index_gets_what_the_build_has_written_and_nothing_else_that_the_builder_says(layout: Path) -> None:
    descriptor = base64.b64encode(json.dumps({**DESCRIPTOR, "urls": ["x"], "other": 1}).encode()).decode()
    write_indexes(request_of(layout), BuildResult(reference="r", metadata={"containerimage.descriptor": descriptor}))
    entries = json.loads((layout / "index.json").read_text())["manifests"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries] == ["1", "2"]
    assert entries[1].keys() == {"mediaType", "digest", "size", "annotations"}


@pytest.mark.parametrize(
    "descriptor", ["", "%", "e30=", base64.b64encode(b'{"mediaType":"","digest":"../x","size":1}').decode(),
                   base64.b64encode(json.dumps({**DESCRIPTOR, "digest": "sha256:" + "0" * 64}).encode()).decode()],
)  # fmt: skip
def test_a_builder_that_describes_nothing_or_what_it_has_not_sent_is_an_error(layout: Path, descriptor: str) -> None:
    before = (layout / "index.json").read_bytes()
    with pytest.raises(ProtocolError):
        write_indexes(
            request_of(layout), BuildResult(reference="r", metadata={"containerimage.descriptor": descriptor})
        )
    assert (layout / "index.json").read_bytes() == before
