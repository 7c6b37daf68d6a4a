"""Outputs of real clients: provenance, several platforms, and bases that are only in a registry."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builds.conftest import Builders, require_buildx
from support.docker import environment
from support.registry import Registry

PROGRAM = r"""
#ifdef __x86_64__
#define WRITE 1
#define EXIT 60
#define WORD "amd64\n"
#else
#define WRITE 4
#define EXIT 1
#define WORD "386\n"
#endif
static long call(long n, long a, long b, long c) {
  long r;
#ifdef __x86_64__
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
#endif
  return r;
}
void _start(void) { call(WRITE, 1, (long)WORD, sizeof(WORD) - 1); call(EXIT, 0, 0, 0); }
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Registry.started(tmp_path_factory.mktemp("registry")) as registry:
        yield registry.address


def buildx(builders: Builders, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    require_buildx()
    return subprocess.run(
        ["docker", "buildx", "build", "--progress=plain", *arguments, "."],
        cwd=directory,
        env=environment(DOCKER_HOST=builders.pydd.host),
        capture_output=True,
        text=True,
        check=False,
    )


def provenance(name: str) -> dict[str, Any]:
    command = ["docker", "buildx", "imagetools", "inspect", name, "--format", "{{json .Provenance}}"]
    document = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    slsa: dict[str, Any] = document["SLSA"]
    return slsa


def predicate_types(name: str) -> list[str]:
    """Return the types of the statements about a pushed image."""

    def raw(reference: str) -> dict[str, Any]:
        command = ["docker", "buildx", "imagetools", "inspect", "--raw", reference]
        document: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return document

    kind = "vnd.docker.reference.type"
    statements = [item for item in raw(name)["manifests"] if item.get("annotations", {}).get(kind)]
    layers = [layer for item in statements for layer in raw(f"{name}@{item['digest']}")["layers"]]
    return [layer["annotations"]["in-toto.io/predicate-type"] for layer in layers]


@pytest.fixture
def two_platforms(tmp_path: Path) -> Path:
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    for architecture, flag in (("amd64", "-m64"), ("386", "-m32")):
        command = [
            "gcc",
            flag,
            "-fno-pic",
            "-nostdlib",
            "-static",
            "-o",
            f"{tmp_path}/program-{architecture}",
            str(source),
        ]
        subprocess.run(command, check=True)
    (tmp_path / "program-arm64").write_bytes(b"")
    (tmp_path / "Dockerfile").write_text(
        'FROM scratch\nARG TARGETARCH\nCOPY program-$TARGETARCH /program\nRUN ["/program"]\nENTRYPOINT ["/program"]\n'
    )
    return tmp_path


def test_a_pushed_image_has_the_provenance_that_clients_ask_for(
    builders: Builders, registry: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nARG KEY\nRUN --mount=type=secret,id=token true $KEY\n")
    (tmp_path / "token").write_text("very-secret-5512")
    name = f"{registry}/app:1"
    common = ("-t", name, "--push", "--build-arg", "KEY=kept-back-7781", "--secret", "id=token,src=token")
    pushed = buildx(builders, tmp_path, *common)
    assert pushed.returncode == 0, pushed.stderr
    short = provenance(name)
    assert short["invocation"]["environment"] == {"platform": "linux/amd64"}
    assert "kept-back-7781" not in json.dumps(short)
    pushed = buildx(builders, tmp_path, *common, "--provenance=mode=max")
    assert pushed.returncode == 0, pushed.stderr
    long = provenance(name)
    assert long["invocation"]["parameters"]["secrets"] == [{"id": "token", "optional": True}]
    assert long["invocation"]["parameters"]["args"]["build-arg:KEY"] == "kept-back-7781"
    assert "very-secret-5512" not in json.dumps(long)
    pushed = buildx(builders, tmp_path, *common, "--attest=type=provenance,version=v1,mode=min")
    assert pushed.returncode == 0, pushed.stderr
    assert predicate_types(name) == ["https://slsa.dev/provenance/v1"]
    pushed = buildx(builders, tmp_path, *common, "--provenance=false")
    assert pushed.returncode == 0, pushed.stderr
    command = ["docker", "buildx", "imagetools", "inspect", "--raw", name]
    manifest = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert "manifests" not in manifest
    builders.pydd("rmi", name)


def test_a_list_of_packages_is_refused(builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN true\n")
    refused = buildx(builders, tmp_path, "--sbom=true", "-o", f"type=oci,dest={tmp_path / 'image.tar'}")
    assert refused.returncode == 1
    assert "this engine has no SBOM scanner" in refused.stderr


def test_several_platforms_are_stored_run_and_pushed_as_one_name(
    builders: Builders, registry: str, two_platforms: Path
) -> None:
    name = f"{registry}/several:1"
    both = ("--platform", "linux/amd64,linux/386")
    built = buildx(builders, two_platforms, *both, "-t", name)
    assert built.returncode == 0, built.stderr
    assert builders.pydd("run", "--rm", name) == "amd64"
    assert builders.pydd("run", "--rm", "--pull=never", "--platform", "linux/386", name) == "386"
    builders.pydd("push", name)
    command = ["docker", "buildx", "imagetools", "inspect", "--raw", name]
    index = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    platforms = [item["platform"]["architecture"] for item in index["manifests"]]
    assert platforms == ["amd64", "386", "unknown", "unknown"]
    builders.pydd("rmi", name)
    (two_platforms / "Dockerfile").write_text(f'FROM {name}\nRUN ["/program"]\n')  # its base is only in the registry
    archive = two_platforms / "image.tar"
    again = buildx(builders, two_platforms, *both, "-o", f"type=oci,dest={archive}")
    assert again.returncode == 0, again.stderr
    with tarfile.open(archive) as tar:
        file = tar.extractfile("index.json")
        assert file is not None
        assert json.load(file)["manifests"][0]["mediaType"] == "application/vnd.oci.image.index.v1+json"
    builders.pydd("rmi", name)


def test_a_platform_that_does_not_run_here_is_refused_at_its_step(builders: Builders, two_platforms: Path) -> None:
    refused = buildx(builders, two_platforms, "--platform", "linux/amd64,linux/arm64")
    assert refused.returncode == 1
    assert 'RUN ["/program"]: this machine runs no linux/arm64 programs' in refused.stderr


def test_the_same_sources_and_time_make_the_same_image_twice(builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY Dockerfile /x\nRUN date > /dev/null; touch /y\n")
    digests: list[str] = []
    for number in range(2):
        metadata = tmp_path.parent / f"{tmp_path.name}-{number}.json"
        output = f"type=oci,dest={tmp_path.parent / 'again.tar'},rewrite-timestamp=true"
        built = buildx(
            builders, tmp_path, "--no-cache", "--provenance=false", "--build-arg", "SOURCE_DATE_EPOCH=1700000000",
            "--metadata-file", str(metadata), "-o", output,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr
        digests.append(json.loads(metadata.read_text())["containerimage.digest"])
        (tmp_path / "Dockerfile").touch()
    assert digests[0] == digests[1]


def test_a_layout_of_the_client_is_a_base_unless_its_blobs_lie(builders: Builders, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    layout.mkdir()
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text(f"in the layout of {builders.base}")
    (source / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY file /file\n")
    built = buildx(builders, source, "-o", f"type=oci,dest={tmp_path / 'layout.tar'}")
    assert built.returncode == 0, built.stderr
    with tarfile.open(tmp_path / "layout.tar") as tar:
        tar.extractall(layout, filter="data")
    assert builders.pydd("images", "-q", "--filter", "dangling=true") == ""
    builders.pydd("builder", "prune", "-af")  # nothing of it is known to the engine
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    context = f"base=oci-layout://{layout}@{digest}"
    (tmp_path / "Dockerfile").write_text("FROM base\nRUN cp /file /copy\n")
    blobs = layout / "blobs/sha256"
    last = min(
        blobs.iterdir(), key=lambda path: path.stat().st_size if path.read_bytes()[:2] == b"\x1f\x8b" else 1 << 30
    )
    body = last.read_bytes()
    last.write_bytes(bytes(len(body)))
    lied = buildx(builders, tmp_path, "--build-context", context)
    assert lied.returncode == 1
    assert f"digest mismatch: expected sha256:{last.name}" in lied.stderr
    last.write_bytes(body)
    built = buildx(builders, tmp_path, "--build-context", context, "-o", str(tmp_path / "out"))
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "out/copy").read_text() == f"in the layout of {builders.base}"
