"""Push and pull, against a registry on this host, with Docker Engine as the other side."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker
from support.missing import missing


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("docker-registry") is None:
        missing("docker-registry")
    home = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (home / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {home}/data}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    process = subprocess.Popen(["docker-registry", "serve", str(home / "config.yml")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)  # it has no other sign that it listens
    yield address
    process.kill()
    process.wait()


def test_what_is_pushed_is_pulled_again_the_same(docker: Docker, busybox: str, registry: str):
    name = f"{registry}/some/image:1"
    docker("tag", busybox, name)
    before = docker("images", "-q", "--no-trunc", name)
    assert "digest: sha256:" in docker("push", name)
    docker("rmi", name)
    pulled = docker("pull", name)
    assert "Status: " in pulled
    assert docker("images", "-q", "--no-trunc", name) == before
    docker("rmi", name)


def test_a_layer_is_fetched_unpacked_and_runs(docker: Docker, busybox: str, registry: str):
    made = docker.create("made", busybox, "sh", "-c", "echo layer > /layer", options=("--network", "none"))
    docker("start", "-a", made)
    name = f"{registry}/some/layered:1"
    docker("commit", made, name)
    docker("rm", made)
    docker("push", name)
    docker("rmi", name)
    assert "Pull complete" in docker("pull", name)
    assert docker("run", "--rm", "--network", "none", name, "cat", "/layer") == "layer"
    docker("rmi", name)


def test_skopeo_reads_what_was_pushed(docker: Docker, busybox: str, registry: str, tmp_path: Path):
    if shutil.which("skopeo") is None:
        missing("skopeo")
    name = f"{registry}/some/other:1"
    docker("tag", busybox, name)
    docker("push", name)
    docker("rmi", name)
    target = f"oci:{tmp_path}/copy:1"
    subprocess.run(["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{name}", target], check=True)


def test_what_is_not_there_is_said_to_be_missing(docker: Docker, registry: str):
    done = subprocess.run(
        ["docker", "-H", docker.host, "pull", f"{registry}/no/such:1"], capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"manifest unknown" in done.stderr


def test_a_registry_that_lies_is_caught(docker: Docker, busybox: str, registry: str, tmp_path: Path):
    """A blob whose contents aren't its digest's is refused, and nothing of it stays."""
    made = docker.create("lied", busybox, "sh", "-c", "echo lie > /lie", options=("--network", "none"))
    docker("start", "-a", made)
    name = f"{registry}/some/lie:1"
    docker("commit", made, name)
    docker("rm", made)
    docker("push", name)
    layer = docker("inspect", "-f", "{{index .RootFS.Layers 1}}", name)
    docker("rmi", name)
    assert layer
    blobs = sorted(
        Path(f"/proc/self/root{_registry_root(registry)}").rglob("data"), key=lambda each: each.stat().st_mtime
    )
    newest = [each for each in blobs if each.is_file() and each.read_bytes()[:2] == b"\x1f\x8b"][-1]
    good = newest.read_bytes()
    newest.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    done = subprocess.run(["docker", "-H", docker.host, "pull", name], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"igest mismatch" in done.stderr
    assert docker("images", "-q", name) == ""


def _registry_root(address: str) -> Path:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"docker-registry") and address in Path(words[2].decode()).read_text():
                return Path(words[2].decode()).parent
    raise AssertionError("the registry isn't running")
