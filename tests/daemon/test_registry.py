"""Push and pull, against a registry on this host, with Docker Engine as the other side."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.missing import missing
from support.pydd import Pydd
from support.registry import PASSWORD, USER, Registry


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry.started(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def registry(plain: Registry) -> str:
    return plain.address


def test_a_pushed_image_is_pulled_unchanged(docker: Docker, busybox: str, registry: str):
    name = f"{registry}/some/image:1"
    docker("tag", busybox, name)
    before = docker("images", "-q", "--no-trunc", name)
    assert "digest: sha256:" in docker("push", name)
    docker("rmi", name)
    pulled = docker("pull", name)
    assert "Status: " in pulled
    assert docker("images", "-q", "--no-trunc", name) == before
    docker("rmi", name)


def test_all_tags_of_a_repository_are_pushed_and_pulled(both: Docker, registry: str):
    image = both.image("tagged", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    repository = f"{registry}/{both.name('all')}"
    names = [f"{repository}:{tag}" for tag in ("one", "two")]
    for name in names:
        both("tag", image, name)
    pushed = both("push", "-a", repository)
    assert "one: digest: sha256:" in pushed
    assert "two: digest: sha256:" in pushed
    both("rmi", *names)
    both("pull", "-a", repository)
    assert sorted(both("images", "--format", "{{.Tag}}", repository).split()) == ["one", "two"]
    both("rmi", *names)
    missing = subprocess.run(
        ["docker", "-H", both.host, "push", "-a", repository], capture_output=True, text=True, check=False
    )
    assert f"An image does not exist locally with the tag: {repository}" in missing.stderr


def test_an_image_for_another_platform_is_not_taken_for_the_requested_one(both: Docker, registry: str):
    image = both.image("other", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = f"{registry}/{both.name('other')}:1"
    both("tag", image, name)
    both("push", name)
    both("rmi", name)
    done = subprocess.run(
        ["docker", "-H", both.host, "pull", "--platform", "linux/arm64", name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "does not match the specified platform: wanted linux/arm64, actual: linux/amd64" in done.stderr
    both("pull", "--platform", "linux/x86_64", name)
    both("rmi", name)


def test_a_layer_is_fetched_unpacked_and_runs(docker: Docker, busybox: str, registry: str):
    container = docker.create("made", busybox, "sh", "-c", "echo layer > /layer", options=("--network", "none"))
    docker("start", "-a", container)
    name = f"{registry}/some/layered:1"
    docker("commit", container, name)
    docker("rm", container)
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


def test_a_missing_image_is_reported(docker: Docker, registry: str):
    done = subprocess.run(
        ["docker", "-H", docker.host, "pull", f"{registry}/no/such:1"], capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"manifest unknown" in done.stderr


def test_a_registry_that_lies_is_caught(docker: Docker, busybox: str, plain: Registry):
    """A blob whose contents aren't its digest's is refused, and nothing of it stays."""
    container = docker.create("lied", busybox, "sh", "-c", "echo lie > /lie", options=("--network", "none"))
    docker("start", "-a", container)
    name = f"{plain.address}/some/lie:1"
    docker("commit", container, name)
    docker("rm", container)
    docker("push", name)
    layer = docker("inspect", "-f", "{{index .RootFS.Layers 1}}", name)
    docker("rmi", name)
    assert layer
    blobs = sorted((plain.home / "data").rglob("data"), key=lambda path: path.stat().st_mtime)
    newest = [path for path in blobs if path.is_file() and path.read_bytes()[:2] == b"\x1f\x8b"][-1]
    good = newest.read_bytes()
    newest.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    done = subprocess.run(["docker", "-H", docker.host, "pull", name], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"igest mismatch" in done.stderr
    assert docker("images", "-q", name) == ""


def run(host: str, *arguments: str, environ: dict[str, str], stdin: bytes | None = None) -> str:
    command = ["docker", "-H", host, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **environ})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def skopeo(*arguments: str) -> str:
    if shutil.which("skopeo") is None:
        missing("skopeo")
    done = subprocess.run(["skopeo", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls-and-password"])
def test_images_go_between_both_engines_and_skopeo_through_a_registry(
    docker: Docker, busybox: str, tmp_path: Path, secured: bool
):
    """Each way round: pushed here and pulled by the others, pushed by the others and pulled here."""
    theirs = "unix:///var/run/docker.sock"
    with Registry.started(tmp_path, name="localhost" if secured else "", secured=secured) as registry:
        environ = registry.docker_config if secured else {"DOCKER_CONFIG": str(tmp_path / "none")}
        name = f"{registry.address}/{docker.prefix}/both:1"
        docker("tag", busybox, name)
        want = docker("images", "-q", "--no-trunc", name)
        run(docker.host, "push", name, environ=environ)
        docker("rmi", name)
        try:
            assert "Status: " in run(theirs, "pull", name, environ=environ)
            assert run(theirs, "images", "-q", "--no-trunc", name, environ={}) == want
            again = name.replace("both", "back")
            run(theirs, "tag", name, again, environ={})
            run(theirs, "push", again, environ=environ)
        finally:
            subprocess.run(["docker", "-H", theirs, "rmi", "-f", want], capture_output=True, check=False)
        assert "Status: " in run(docker.host, "pull", again, environ=environ)
        assert docker("images", "-q", "--no-trunc", again) == want
        docker("rmi", again)
        login = ["--creds", f"{USER}:{PASSWORD}"] if secured else []
        tls = ["--tls-verify=false"]
        inspected = json.loads(skopeo("inspect", *tls, *login, f"docker://{name}"))
        assert inspected["Os"] == "linux"
        copy = name.replace("both", "copied")
        flags = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        keys = ["--src-creds", login[1], "--dest-creds", login[1]] if secured else []
        skopeo("copy", "-q", "-f", "oci", *flags, *keys, f"docker://{again}", f"docker://{copy}")
        run(docker.host, "pull", copy, environ=environ)
        assert docker("run", "--rm", "--network", "none", copy, "echo", "runs") == "runs"
        docker("rmi", copy)
        if secured:
            nobody = {**os.environ, "DOCKER_CONFIG": str(tmp_path / "none")}
            command = ["docker", "-H", docker.host, "pull", name]
            denied = subprocess.run(command, capture_output=True, check=False, env=nobody)
            assert b"denied" in denied.stderr
            login_ = ("login", "-u", USER, "--password-stdin", registry.address)
            assert "Succeeded" in run(docker.host, *login_, environ=nobody, stdin=PASSWORD.encode())
            wrong = subprocess.run(
                ["docker", "-H", docker.host, *login_], input=b"wrong", capture_output=True, check=False, env=nobody
            )
            assert b"incorrect username or password" in wrong.stderr


def test_our_own_command_logs_in_pushes_and_pulls(docker: Docker, busybox: str, tmp_path: Path):
    environ = {**os.environ, "DOCKER_CONFIG": str(tmp_path / "config"), "DOCKER_HOST": docker.host}

    def pyd(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "pyd_tui", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, env=environ)

    with Registry.started(tmp_path, name="localhost", secured=True) as registry:
        name = f"{registry.address}/{docker.prefix}/own:1"
        assert pyd("tag", busybox, name).returncode == 0
        denied = pyd("push", name)
        assert (denied.returncode != 0, b"denied" in denied.stderr) == (True, True)
        login = ("login", "-u", USER, "--password-stdin", registry.address)
        assert b"incorrect username or password" in pyd(*login, stdin=b"wrong").stderr
        assert pyd(*login, stdin=PASSWORD.encode()).returncode == 0
        want = docker("images", "-q", "--no-trunc", name)
        pushed = pyd("push", name)
        assert pushed.returncode == 0, pushed.stderr
        assert pyd("rmi", name).returncode == 0
        assert docker("images", "-q", name) == ""
        pulled = pyd("pull", name)
        assert pulled.returncode == 0, pulled.stderr
        assert docker("images", "-q", "--no-trunc", name) == want
        assert pyd("logout", registry.address).returncode == 0
        assert b"denied" in pyd("pull", name).stderr
        docker("rmi", name)


def test_a_remote_registry_is_trusted_only_by_its_certificate_and_a_mirror_is_tried_first(tmp_path: Path):
    """On an engine of its own, whose settings name the mirror; the registry listens where no shortcut applies."""
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("mirrored", busybox_files(), 'CMD ["/bin/sh"]')
        network = docker.name("near")
        docker("network", "create", network)
        gateway = docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network)
        for part in ("away", "mirror"):
            (tmp_path / part).mkdir()
        with (
            Registry.started(tmp_path / "away", host=gateway, secured=True) as away,
            Registry.started(tmp_path / "mirror") as mirror,
        ):
            name = f"{away.address}/some/image:1"
            docker("tag", image, name)
            done = subprocess.run(
                ["docker", "-H", engine.host, "push", name],
                capture_output=True,
                check=False,
                env={**os.environ, **away.docker_config},
            )
            assert b"certificate" in done.stderr.lower()
            assert b"certs.d" in done.stderr
            settings = engine.home / "engine.json"
            certificates = engine.home / "certs.d" / away.address
            certificates.mkdir(parents=True)
            shutil.copy(away.home / "tls/ca.pem", certificates / "ca.crt")
            configuration = {
                "registry-mirrors": [f"http://{mirror.address}"],
                "registry-certificates": str(certificates.parent),
            }
            settings.write_text(json.dumps(configuration))
            engine.stop()
            engine.start("--settings", str(settings))
            run(engine.host, "push", name, environ=away.docker_config)
            docker("tag", image, f"{mirror.address}/library/{docker.prefix}:1")
            docker("push", f"{mirror.address}/library/{docker.prefix}:1")
            assert "Digest: sha256:" in docker("pull", f"{docker.prefix}:1")  # docker.io/library's, by its name
            assert f"{docker.prefix}:1" in docker("inspect", "-f", "{{.RepoTags}}", image)
            for reference in (name, f"{mirror.address}/library/{docker.prefix}:1", f"{docker.prefix}:1"):
                docker("rmi", reference)
        docker("network", "rm", network)


def test_a_registry_is_searched(docker: Docker, busybox: str, registry: str):
    names = [f"{registry}/{path}:1" for path in ("wanted/one", "also/wanted", "other")]
    for name in names:
        docker("tag", busybox, name)
        docker("push", name)
    search = ("search", "--no-trunc", "--format", "{{.Name}} {{.StarCount}}")
    assert docker(*search, f"{registry}/wanted").splitlines() == [
        f"{registry}/also/wanted 0",
        f"{registry}/wanted/one 0",
    ]
    assert docker(*search, "--limit", "1", f"{registry}/wanted").splitlines() == [f"{registry}/also/wanted 0"]
    assert f"{registry}/other 0" in docker(*search, f"{registry}/").splitlines()
    assert docker(*search, "--filter", "is-official=true", f"{registry}/wanted") == ""
    assert docker(*search, "--filter", "stars=3", f"{registry}/wanted") == ""
    assert docker(*search, f"{registry}/nothing") == ""
    assert docker("pull", names[0]) != ""
    docker("rmi", *names)


def test_a_search_that_can_find_nothing_says_why(docker: Docker, registry: str):
    for term, *options in (("wanted",), (f"{registry}/x", "--filter", "size=1"), (f"{registry}/x", "--limit", "101")):
        command = ["docker", "-H", docker.host, "search", *options, term]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "no mirror" in done.stderr or "invalid filter" in done.stderr or "limit" in done.stderr.lower()
