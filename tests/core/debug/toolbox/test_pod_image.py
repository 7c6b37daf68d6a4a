from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from pyd_core.debug.toolbox.pod_image import digest_of, index_of, moved, pack_image
from pyd_core.errors import ToolboxError

PROGRAM = b"\x7fELF\x02" + b"/dev/.pyd/lib64/ld-linux-x86-64.so.2\0"


@pytest.fixture
def toolbox(tmp_path: Path) -> Path:
    root = tmp_path / "toolbox"
    files = {
        "bin/sh": PROGRAM,
        "bin/bash": PROGRAM,
        "bin/strace": PROGRAM,
        "bin/python3": PROGRAM,
        "bin/ldd": b"#!/dev/.pyd/bin/bash\n",
        "bin/foreign": b"#!/usr/bin/perl\n",
        "lib64/ld-linux-x86-64.so.2": b"",
        "lib/x86_64-linux-gnu/libc.so.6": b"",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def test_a_shell_runs_from_the_image_and_other_programs_by_their_loader(toolbox: Path, tmp_path: Path):
    image = pack_image(str(toolbox), "x86_64", tmp_path / "layer.tar.gz", lambda *_: None)
    with tarfile.open(image.layer) as layer:

        def read(name: str) -> str:
            file = layer.extractfile(name)
            assert file is not None
            return file.read().decode()

        names = layer.getnames()
        assert "/toolbox//lib64/ld-linux-x86-64.so.2" in read("bin/sh")
        assert "--argv0 strace /toolbox/bin/strace" in read("bin/strace")
        assert "--argv0" not in read("bin/python3")
        assert "exec /bin/bash /toolbox/bin/ldd" in read("bin/ldd")
        assert read("bin/pyd-agent").startswith("#!/bin/sh\nexec /toolbox/lib64/ld-linux-x86-64.so.2 --library-path")
    assert "bin/foreign" not in names
    assert "toolbox/bin/strace" in names
    manifest = json.loads(image.manifest)
    assert manifest["layers"][0]["digest"] == digest_of(image.layer.read_bytes())
    assert manifest["config"]["digest"] == digest_of(image.config)


def test_an_index_names_each_architecture(toolbox: Path, tmp_path: Path):
    images = [
        pack_image(str(toolbox), machine, tmp_path / machine, lambda *_: None) for machine in ("x86_64", "aarch64")
    ]
    platforms = [entry["platform"]["architecture"] for entry in json.loads(index_of(images))["manifests"]]
    assert platforms == ["amd64", "arm64"]


def test_a_layer_is_the_same_each_time(toolbox: Path, tmp_path: Path):
    first, second = (pack_image(str(toolbox), "x86_64", tmp_path / name, lambda *_: None) for name in "ab")
    assert first.layer_digest == second.layer_digest


def test_a_shell_that_runs_from_elsewhere_is_refused():
    with pytest.raises(ToolboxError):
        moved(b"#!/bin/sh\n")
    with pytest.raises(ToolboxError):
        moved(b"\x7fELF/lib64/ld-linux-x86-64.so.2")
