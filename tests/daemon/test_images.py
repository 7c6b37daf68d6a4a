"""Images as clients name, change, save and remove them: on Docker Engine and here alike."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from support.docker import LABEL, Docker, busybox_files, environment, layer
from support.pydd import Pydd


@pytest.fixture(scope="module")
def base(both: Docker) -> str:
    return both.image("images-base", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def refusal(docker: Docker, *arguments: str, stdin: bytes | None = None) -> str:
    """Run a command that fails and return what it said."""
    command = [*docker.command, *arguments]
    done = subprocess.run(
        command, input=stdin, capture_output=True, env=environment(DOCKER_HOST=docker.host), check=False
    )
    assert done.returncode != 0, done.stdout
    return done.stderr.decode()


def inspected(docker: Docker, name: str) -> dict[str, object]:
    [attributes] = json.loads(docker("image", "inspect", name))
    assert isinstance(attributes, dict)
    return attributes


@pytest.mark.parametrize("prefix", ["docker.io/", "index.docker.io/", "docker.io/library/", "library/"])
def test_official_images_have_all_their_names(both: Docker, base: str, prefix: str):
    """Version 0.1 did not find `docker.io/NAME`."""
    other = both.name(f"official{len(prefix)}")
    both("tag", base, f"{prefix}{other}:1")
    assert inspected(both, f"{other}:1")["RepoTags"] == inspected(both, base)["RepoTags"]
    assert inspected(both, f"{prefix}{other}:1")["Id"] == inspected(both, base)["Id"]
    both("rmi", f"{prefix}{other}:1")


def test_a_commit_changes_variables_with_variables(both: Docker, base: str):
    """Version 0.1 stored `$PATH` as it is, and such images found no command."""
    container = both.create("made", base, "true", options=("--network", "none"))
    image = both.name("committed") + ":1"
    changes = [
        "ENV A=/bin",
        "ENV A=/usr/bin:$A B='$A'",
        "EXPOSE 53/UDP 80-81",
        "WORKDIR /a",
        "WORKDIR b",
        "LABEL x=${A}",
    ]
    both("commit", *(part for change in changes for part in ("-c", change)), container, image)
    config = inspected(both, image)["Config"]
    assert isinstance(config, dict)
    assert config["Env"][-2:] == ["A=/usr/bin:/bin", "B=$A"]
    assert set(config["ExposedPorts"]) == {"53/udp", "80/tcp", "81/tcp"}
    assert config["WorkingDir"] == "/a/b"
    assert config["Labels"]["x"] == "/usr/bin:/bin"
    both("rm", container)
    both("rmi", image)


def test_an_image_is_imported_for_a_platform(both: Docker):
    image = both.name("platform") + ":1"
    for platform, expected in (("linux/arm64", "arm64"), ("arm64", "arm64"), ("linux/s390x", "s390x")):
        both(
            "import", "--platform", platform, "-c", f"LABEL {LABEL}={both.prefix}", "-", image, stdin=layer({"a": b"1"})
        )
        attributes = inspected(both, image)
        assert (attributes["Os"], attributes["Architecture"]) == ("linux", expected)
        both("rmi", image)


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("nintendo64", "unknown operating system or architecture"),
        ("macos", "operating system is not supported"),
        ("macos/arm64", "operating system is not supported"),
        ("/", "component of"),
    ],
)
def test_a_platform_that_is_none_is_refused(both: Docker, platform: str, words: str):
    assert words in refusal(both, "import", "--platform", platform, "-", "x", stdin=layer({"a": b"1"}))


def test_a_pull_for_an_unknown_platform_asks_no_registry(both: Docker):
    words = refusal(both, "pull", "--platform", "foobar", "localhost:1/nothing")
    assert "unknown operating system or architecture" in words


def test_the_name_of_a_digest_algorithm_is_refused(both: Docker, base: str):
    """Version 0.1 took it, and nothing could be removed by that name."""
    assert "refusing to create an ambiguous tag using digest algorithm as name" in refusal(
        both, "tag", base, "sha256:x"
    )


def test_several_edges_of_time_are_taken(both: Docker, base: str):
    listed = both("images", "-q", "--filter", "until=2001-01-01T00:00:00Z", "--filter", "until=2040-01-01T00:00:00Z")
    assert listed == ""
    assert both("images", "-q", "--filter", f"before={base}", "--filter", f"since={base}") == ""


def test_a_saved_image_has_its_time_and_its_names(both: Docker, base: str, tmp_path: Path):
    saved = tmp_path / "saved.tar"
    both("save", "-o", str(saved), base)
    image = inspected(both, base)
    with tarfile.open(saved) as tar:
        [listed] = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = tar.getmember(listed["Config"])
        index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
    created = str(image["Created"])[:19]
    assert dt.datetime.fromtimestamp(config.mtime, dt.UTC).isoformat()[:19] == created
    [entry] = index["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "1"
    assert entry["annotations"]["io.containerd.image.name"] == f"docker.io/library/{base}"


def test_an_image_without_layers_is_loaded(both: Docker):
    """`"Layers": null` in the manifest; version 0.1 answered nothing."""
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {LABEL: both.prefix}}}
    whole = json.dumps({**config, "rootfs": {"type": "layers", "diff_ids": None}}).encode()
    manifest = json.dumps([{"Config": "c.json", "RepoTags": None, "Layers": None}]).encode()
    output = both("load", stdin=layer({"c.json": whole, "manifest.json": manifest}))
    image = output.removeprefix("Loaded image ID: ")
    attributes = inspected(both, image)
    assert (attributes["RepoTags"], attributes["RepoDigests"]) == ([], [])
    both("rmi", image)


def test_inspect_reports_an_images_parent_and_the_time_of_its_tag(both: Docker, base: str):
    image = both.name("child") + ":1"
    file = f"FROM {base}\nLABEL {LABEL}={both.prefix}\n".encode()
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")  # only the classic builder's have a parent
    subprocess.run(["docker", "build", "-t", image, "-"], input=file, capture_output=True, check=True, env=environ)
    attributes = inspected(both, image)
    assert attributes["Parent"] == inspected(both, base)["Id"]
    assert str(attributes["Metadata"]["LastTagTime"]) > "2020"  # type: ignore[index]
    assert "dependent child images" in refusal(both, "rmi", str(inspected(both, base)["Id"]))
    both("rmi", image)


def test_an_image_in_use_is_removed_by_force_where_nothing_of_it_runs(both: Docker, base: str):
    image = both.name("used") + ":1"
    both("import", "-c", f"LABEL {LABEL}={both.prefix}", "-", image, stdin=layer(busybox_files()))
    image_id = str(inspected(both, image)["Id"])
    container = both.create("user", image, "/bin/sleep", "1000", options=("--network", "none"))
    assert "must force" in refusal(both, "rmi", image)
    assert "(must be forced) - image is being used by stopped container" in refusal(both, "rmi", image_id)
    both("start", container)
    assert "(cannot be forced) - image is being used by running container" in refusal(both, "rmi", "-f", image_id)
    both("kill", container)
    both("wait", container)
    both("rmi", "-f", image_id)
    both("rm", container)
    assert "image name cannot be blank" in refusal(both, "rmi", " ")


POISON = {
    "null": b"[null]",
    "labels": b'{"config": {"Labels": {"a": 1}}, "rootfs": {"type": "layers", "diff_ids": []}}',
    "rootfs": b'{"os": "linux"}',
    "nan": b'{"created": NaN, "rootfs": {"diff_ids": []}}',
}


@pytest.mark.parametrize("kind", POISON)
def test_an_image_with_an_invalid_configuration_is_refused_and_the_list_still_works(both: Docker, base: str, kind: str):
    """Version 0.1 stored it, and then `docker images` failed for everybody."""
    if kind == "null":
        files: dict[str, bytes | Path | str] = {"manifest.json": POISON[kind]}
    else:
        manifest = json.dumps([{"Config": "c.json", "RepoTags": [both.name("poison")], "Layers": []}]).encode()
        files = {"c.json": POISON[kind], "manifest.json": manifest}
    if kind == "null" and both.host.endswith("docker.sock"):
        both("load", stdin=layer(files), check=False)  # Docker Engine's own answer to this changes with its versions
    else:
        assert refusal(both, "load", stdin=layer(files))
    assert base.partition(":")[0] in both("images", "--format", "{{.Repository}}")


def test_an_oci_layout_whose_blob_is_another_is_refused(docker: Docker, busybox: str, tmp_path: Path):
    """Docker Engine takes it under the digest it has; what the index promises isn't there."""
    saved = tmp_path / "saved.tar"
    docker("save", "-o", str(saved), busybox)
    files: dict[str, bytes | Path | str] = {}
    with tarfile.open(saved) as tar:
        index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
        digest = index["manifests"][0]["digest"]
        for member in tar:
            body = tar.extractfile(member)
            if body is not None and member.name != "manifest.json":
                files[member.name] = body.read()
    name = f"blobs/sha256/{digest[7:]}"
    content = files[name]
    assert isinstance(content, bytes)
    files[name] = content + b" "
    assert "has another digest" in refusal(docker, "load", stdin=layer(files))


def test_a_damaged_image_is_left_out_of_the_list(pydd: Pydd, docker: Docker, busybox: str):
    other = docker.image("damaged", {"a": b"1"})
    image_id = str(inspected(docker, other)["Id"])
    blob = pydd.config.root / "blobs/sha256" / image_id[7:]
    whole = blob.read_bytes()
    blob.write_bytes(b"{")
    try:
        listed = docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    finally:
        blob.write_bytes(whole)
    assert busybox in listed.splitlines()
    assert other not in listed
    docker("rmi", other)


def test_smuggled_files_are_not_unpacked(both: Docker):
    """A file with a directory's name whose data look like a member: version 0.1 unpacked `hidden`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        hidden = tarfile.TarInfo("hidden")
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w", format=tarfile.USTAR_FORMAT) as nested:
            nested.addfile(hidden)
        smuggling = tarfile.TarInfo("notes")
        smuggling.size = 512
        tar.addfile(smuggling, io.BytesIO(inner.getvalue()[:512]))
        tar.addfile(tarfile.TarInfo("after"))
    body = bytearray(buffer.getvalue())
    body[5:6] = b"/"
    body[148:156] = b" " * 8
    body[148:156] = b"%06o\0 " % sum(body[:512])
    image = both.name("smuggled") + ":1"
    both("import", "-c", f"LABEL {LABEL}={both.prefix}", "-", image, stdin=bytes(body))
    container = both.create("smuggled", image, "/x", options=("--network", "none"))
    exported = subprocess.run(
        [*both.command, "export", container], capture_output=True, env=environment(DOCKER_HOST=both.host), check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(exported)) as tar:
        names = set(tar.getnames())
    assert {"notes", "after"} <= names
    assert "hidden" not in names
    both("rm", container)
    both("rmi", image)


def test_an_image_of_a_hundred_and_twenty_layers_runs(both: Docker):
    """Their directories' names are longer together than what mount(2) takes."""
    layers = [layer(busybox_files()), *(layer({f"file{number}": b"1"}) for number in range(119))]
    diff_ids = [f"sha256:{hashlib.sha256(packed).hexdigest()}" for packed in layers]
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {LABEL: both.prefix}}}
    image = both.name("many") + ":1"
    files: dict[str, bytes | Path | str] = {f"{number}.tar": packed for number, packed in enumerate(layers)}
    files["c.json"] = json.dumps({**config, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    listed = {"Config": "c.json", "RepoTags": [image], "Layers": [f"{number}.tar" for number in range(len(layers))]}
    both("load", stdin=layer({**files, "manifest.json": json.dumps([listed]).encode()}))
    container = both.create("many", image, "/bin/sh", "-c", "ls -d /file* | wc -l", options=("--network", "none"))
    assert both("start", "-a", container) == "119"
    both("rm", container)
    both("rmi", image)


CONFIGS: dict[str, dict[str, Any]] = {
    "empty": {"config": {}, "created": "2020-01-02T03:04:05Z"},
    "full": {
        "config": {"Cmd": ["a"], "Env": ["A=b"], "Labels": {"x": "y"}, "ExposedPorts": {"1/tcp": {}}, "User": "1"},
        "author": "me",
        "created": "2020-01-02T03:04:05.000000006Z",
        "docker_version": "1.2",
        "history": [{"created": "2020-01-02T03:04:05Z", "comment": "c", "empty_layer": True}],
    },
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_inspect_writes_what_is_empty_as_docker_engine_does(docker: Docker, kind: str):
    """`null`, `[]`, and fields that are left out: clients compare with None."""
    config = {"architecture": "amd64", "os": "linux", **CONFIGS[kind], "rootfs": {"type": "layers", "diff_ids": []}}
    name = f"{docker.prefix}-nulls-{kind}:1"
    manifest = json.dumps([{"Config": "c.json", "RepoTags": [name], "Layers": []}]).encode()
    archive = layer({"c.json": json.dumps(config).encode(), "manifest.json": manifest})
    answers = []
    for engine in (Docker(prefix=docker.prefix), docker):
        engine("load", stdin=archive)
        attributes = inspected(engine, name)
        engine("rmi", name)
        for field in ("GraphDriver", "Metadata", "Size", "VirtualSize", "RootFS", "Container", "ContainerConfig"):
            attributes.pop(field, None)
        answers.append(attributes)
    theirs, ours = answers
    assert ours == theirs


def test_a_layer_whose_digest_begins_like_another_s_keeps_its_files(both: Docker):
    """Two layers that share 64 bits of their digests: version 0.1 gave the reviewed image the hostile files."""
    images = []
    for kind in ("hostile", "benign"):
        body = (Path(__file__).parents[1] / f"core/daemon/images/collision/{kind}.tar").read_bytes()
        config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {LABEL: both.prefix}}}
        diff_ids = [f"sha256:{hashlib.sha256(body).hexdigest()}"]
        image = both.name(kind) + ":1"
        whole = json.dumps({**config, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
        listed = json.dumps([{"Config": "c.json", "RepoTags": [image], "Layers": ["l.tar"]}]).encode()
        both("load", stdin=layer({"c.json": whole, "l.tar": body, "manifest.json": listed}))
        images.append(image)
    container = both.create("reviewed", images[1], "/app.sh", options=("--network", "none"))
    assert "benign" in both("cp", f"{container}:/app.sh", "-")
    both("rm", container)
    both("rmi", *images)
