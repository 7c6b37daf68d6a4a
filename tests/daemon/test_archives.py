"""Archives between engines: what one saves another loads, as the same image, layers and all."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files, layer
from support.missing import missing
from support.podman import Podman
from support.pydd import Pydd


@pytest.fixture(scope="module")
def theirs() -> Iterator[Docker]:
    """A corner of Docker Engine."""
    with Docker() as corner:
        yield corner


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """A Podman with a store of its own, asked by its command line alone."""
    if shutil.which("podman") is None:
        missing("podman")
    engine = Podman()
    yield engine
    shutil.rmtree(engine.directory)


@pytest.fixture
def image(docker: Docker) -> Iterator[str]:
    """An image here, of two layers, the second of which hides a file of the first."""
    base = docker.image("base", {**busybox_files(), "gone": b"x"}, 'CMD ["cat", "/kept"]')
    container = docker.create("made", base, "sh", "-c", "echo kept > /kept; rm /gone", options=("--network", "none"))
    docker("start", "-a", container)
    name = docker.name("both") + ":1"
    docker("commit", "-c", 'CMD ["cat", "/kept"]', container, name)
    docker("rm", container)
    yield name
    docker("rmi", name, base)


def output_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def skopeo(*arguments: str) -> None:
    if shutil.which("skopeo") is None:
        missing("skopeo")
    output_of("skopeo", "copy", "-q", *arguments)


def identity(docker: Docker, name: str) -> tuple[str, str, str]:
    """The id, the layers and the bytes of their files: what must be the same on both sides."""
    id_, layers, size = docker("inspect", "-f", "{{.Id}} {{json .RootFS.Layers}} {{.Size}}", name).split(" ")
    return id_, layers, size


def comes_back(docker: Docker, name: str, archive: Path) -> str:
    """Load an archive under the name it has there, and give what the image prints; it is removed again."""
    assert f"Loaded image: {name}" in docker("load", "-i", str(archive))
    try:
        assert docker("run", "--rm", "--network", "none", name, "ls", "/").split().count("gone") == 0
        return docker("run", "--rm", "--network", "none", name)
    finally:
        docker("rmi", name)


def test_docker_engine_loads_what_is_saved_here_and_the_reverse(
    docker: Docker, theirs: Docker, image: str, tmp_path: Path
):
    before = identity(docker, image)
    docker("save", "-o", str(tmp_path / "ours.tar"), image)
    theirs("load", "-i", str(tmp_path / "ours.tar"))
    assert identity(theirs, image) == before
    copy = theirs.name("back") + ":1"
    theirs("tag", image, copy)
    theirs("save", "-o", str(tmp_path / "theirs.tar"), copy)
    theirs("rmi", copy, image)
    assert comes_back(docker, copy, tmp_path / "theirs.tar") == "kept"


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_podman_loads_what_is_saved_here_and_the_reverse(
    docker: Docker, podman: Podman, image: str, tmp_path: Path, form: str
):
    docker("save", "-o", str(tmp_path / "ours.tar"), image)
    output_of(*podman.command("load", "-q", "-i", str(tmp_path / "ours.tar")))
    full = f"docker.io/library/{image}"
    assert output_of(*podman.command("image", "inspect", "-f", "{{.Id}}", full)) == identity(docker, image)[0][7:]
    copy = f"localhost/{docker.name(form)}:1"
    output_of(*podman.command("tag", full, copy))
    output_of(*podman.command("save", "-q", "--format", form, "-o", str(tmp_path / "theirs.tar"), copy))
    output_of(*podman.command("rmi", "-f", full, copy))
    assert comes_back(docker, copy, tmp_path / "theirs.tar") == "kept"


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_skopeo_reads_what_is_saved_here_and_the_reverse(docker: Docker, image: str, tmp_path: Path, packing: str):
    docker("save", "-o", str(tmp_path / "ours.tar"), image)
    source = f"docker-archive:{tmp_path}/ours.tar"
    target = f"oci-archive:{tmp_path}/theirs.tar:example.org/{image}"
    skopeo("--dest-compress", "--dest-compress-format", packing, source, target)
    with tarfile.open(tmp_path / "theirs.tar") as tar:
        index = json.load(tar.extractfile("index.json") or missing("index.json"))
        digest = index["manifests"][0]["digest"].replace(":", "/")
        manifest = json.load(tar.extractfile(f"blobs/{digest}") or missing(digest))
    assert {descriptor["mediaType"].rpartition("+")[2] for descriptor in manifest["layers"]} == {packing}
    before = identity(docker, image)[1]
    docker("load", "-i", str(tmp_path / "theirs.tar"))
    assert identity(docker, f"example.org/{image}")[1] == before
    docker("rmi", f"example.org/{image}")
    assert comes_back(docker, f"example.org/{image}", tmp_path / "theirs.tar") == "kept"


def test_a_file_system_exported_here_is_imported_there_and_the_reverse(
    docker: Docker, theirs: Docker, image: str, tmp_path: Path
):
    for source, target in ((docker, theirs), (theirs, docker)):
        if source is theirs:
            docker("save", "-o", str(tmp_path / "image.tar"), image)
            theirs("load", "-i", str(tmp_path / "image.tar"))
        container = source.create("exported", image, "true", options=("--network", "none"))
        source("export", "-o", str(tmp_path / "root.tar"), container)
        source("rm", container)
        name = target.name("imported") + ":1"
        target("import", "-c", 'CMD ["cat", "/kept"]', str(tmp_path / "root.tar"), name)
        assert target("run", "--rm", "--network", "none", name) == "kept"
        target("rmi", name)
    theirs("rmi", image)


def test_an_archive_whose_layer_is_not_the_one_promised_is_refused_and_nothing_stays(pydd: Pydd, tmp_path: Path):
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{'0' * 64}"]}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    listed = [{"Config": "config.json", "RepoTags": ["wrong:1"], "Layers": ["layer.tar"]}]
    bodies = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer({"planted": b"x"}),
        "manifest.json": json.dumps(listed).encode(),
    }
    (tmp_path / "wrong.tar").write_bytes(layer({**bodies}))
    command = ["docker", "-H", pydd.host, "load", "-i", str(tmp_path / "wrong.tar")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "digest mismatch" in done.stderr
    assert list((pydd.config.root / "blobs/spool").iterdir()) == []
    assert not list((pydd.config.root / "layers").glob("new-*"))


def test_a_repository_is_saved_with_all_its_tags_and_an_id_with_none(both: Docker, tmp_path: Path):
    first = both.image("tags", busybox_files(), 'CMD ["/bin/sh"]')
    repository = first.rpartition(":")[0]
    both("tag", first, f"{repository}:two")
    archive = tmp_path / "all.tar"
    both("save", "-o", str(archive), repository)
    assert sorted(named(archive)) == [f"{repository}:1", f"{repository}:two"]
    both("save", "-o", str(archive), both("image", "inspect", "-f", "{{.Id}}", first))
    assert named(archive) == []
    both("rmi", f"{repository}:two")


def named(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        return [tag for image in json.load(member) for tag in image["RepoTags"] or []]
