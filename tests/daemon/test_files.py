"""A container's files from outside, and images made of them."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from support.docker import Docker, busybox_files, environment
from support.pydd import Pydd


def test_diff_is_empty_after_a_run_and_lists_what_changed(docker: Docker, busybox: str):
    name = docker.create("clean", busybox, "true", options=("--network", "none"))
    docker("start", "-a", name)
    assert docker("diff", name) == ""
    docker("rm", name)
    name = docker.create("dirty", busybox, "sh", "-c", "touch /new; rm /bin/vi", options=("--network", "none"))
    docker("start", "-a", name)
    assert docker("diff", name).splitlines() == ["C /bin", "D /bin/vi", "A /new"]
    docker("rm", name)


def test_copying_in_and_out_of_running_and_stopped(docker: Docker, busybox: str, tmp_path: Path):
    name = docker.run("copy", busybox, "sleep", "1000", options=("-v", "/data", "--network", "none"))
    (tmp_path / "file").write_text("text")
    docker("cp", str(tmp_path / "file"), f"{name}:/data/there")
    assert docker("exec", name, "cat", "/data/there") == "text"  # a volume is seen as its processes see it
    docker("kill", name)
    docker("cp", str(tmp_path / "file"), f"{name}:/tmp/renamed")
    docker("cp", f"{name}:/tmp/renamed", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "text"
    docker("rm", "-v", name)


def test_links_are_copied_as_links_and_what_they_name_too(both: Docker, tmp_path: Path):
    image = both.image("copied", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    tree = tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    (tree / "file").write_text("text")
    (tree / "hard").hardlink_to(tree / "file")
    (tree / "below/hard").hardlink_to(tree / "file")
    (tree / "soft").symlink_to("file")
    (tree / "below/up").symlink_to("../file")
    name = both.create("copied", image, "sleep", "1000", options=("--network", "none", "--stop-signal", "KILL"))
    both("cp", str(tree), f"{name}:/tmp/new")
    both("cp", str(tree), f"{name}:/tmp/new")  # into it, as it is there now
    both("start", name)
    assert both("exec", name, "sh", "-c", "cd /tmp/new/tree; cat hard below/hard soft below/up") == "text" * 4
    assert both("exec", name, "stat", "-c", "%h", "/tmp/new/below/hard") == "3"
    assert both("exec", name, "readlink", "/tmp/new/below/up") == "../file"
    assert [line for line in both("diff", name).splitlines() if not line[2:].startswith("/tmp")] == []
    both("cp", f"{name}:/tmp/new", str(tmp_path / "back"))
    assert (tmp_path / "back/hard").stat().st_nlink == 3
    both("rm", "-f", name)


@pytest.mark.parametrize("running", [True, False])
def test_files_copied_out_lie_where_the_client_puts_them_with_volumes_among_them(
    both: Docker, tmp_path: Path, *, running: bool
):
    """`/a/b` is a volume, on another device than the container's root."""
    image = both.image("copied", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = both.run("out", image, "sleep", "1000", options=("-v", "/a/b", "--network", "none"))
    both("exec", name, "sh", "-c", "echo 1 > /a/f; echo 2 > /a/b/deep; ln -s a /link")
    if not running:
        both("kill", name)
    cases = (
        ("/a", False, "."),
        ("/a/.", False, "."),
        ("/link/.", False, "."),
        ("/", False, "a"),
        ("/.", False, "a"),
        ("/a", True, "a"),
        ("/a/", True, "a"),
        ("/a/.", True, "."),
    )
    for number, (source, exists, destination) in enumerate(cases):
        target = tmp_path / str(number)
        if exists:
            target.mkdir()
        both("cp", f"{name}:{source}", str(target))
        assert (target / destination / "f").read_text() == "1\n", (source, exists)
        assert (target / destination / "b/deep").read_text() == "2\n", (source, exists)
        assert sorted(path.name for path in (target / destination).iterdir()) == ["b", "f"]
    both("rm", "-fv", name)


def test_a_link_inside_never_leads_to_the_hosts_files(docker: Docker, busybox: str, tmp_path: Path):
    (tmp_path / "secret").write_text("host")
    name = docker.create("link", busybox, "ln", "-s", str(tmp_path), "/leak", options=("--network", "none"))
    docker("start", "-a", name)
    copied = subprocess.run(
        ["docker", "-H", docker.host, "cp", f"{name}:/leak/secret", "-"], capture_output=True, check=False
    )
    assert copied.returncode != 0
    assert b"host" not in copied.stdout
    subprocess.run(
        ["docker", "-H", docker.host, "cp", "-", f"{name}:/leak/"],
        input=_tar("planted"),
        check=False,
        capture_output=True,
    )
    assert not (tmp_path / "planted").exists()
    docker("rm", name)


def _tar(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def test_commit_keeps_changes_and_removals(docker: Docker, busybox: str):
    name = docker.create("work", busybox, "sh", "-c", "echo new > /new; rm /bin/vi", options=("--network", "none"))
    docker("start", "-a", name)
    image = docker.name("snap") + ":1"
    docker("commit", "-c", 'CMD ["cat", "/new"]', name, image)
    assert docker("run", "--rm", "--network", "none", image) == "new"
    listed = docker("run", "--rm", "--network", "none", image, "ls", "/bin")
    assert "vi" not in listed.split()
    docker("rm", name)
    docker("rmi", image)


def test_save_and_load_bring_the_same_image_back(docker: Docker, busybox: str):
    before = docker("images", "-q", "--no-trunc", busybox)
    copy = docker.name("saved") + ":1"
    docker("tag", busybox, copy)
    saved = subprocess.run(["docker", "-H", docker.host, "save", copy], capture_output=True, check=True).stdout
    docker("rmi", copy)
    assert f"Loaded image: {copy}" in docker("load", stdin=saved)
    assert docker("images", "-q", "--no-trunc", copy) == before
    docker("rmi", copy)


def test_export_holds_the_whole_file_system(docker: Docker, busybox: str):
    name = docker.create("export", busybox, options=("--network", "none"))
    exported = subprocess.run(["docker", "-H", docker.host, "export", name], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(exported)) as tar:
        assert "bin/busybox" in tar.getnames()
    docker("rm", name)


def test_an_image_in_use_is_kept(docker: Docker, busybox: str):
    copy = docker.name("used") + ":1"
    name = docker.create("user", busybox, options=("--network", "none"))
    changed = docker("commit", name, copy)
    user = docker.create("user2", copy, options=("--network", "none"))
    refused = subprocess.run(["docker", "-H", docker.host, "rmi", copy], capture_output=True, check=False)
    assert b"is using its referenced image" in refused.stderr
    docker("rm", name, user)
    assert changed in docker("rmi", copy)


@pytest.mark.parametrize("path", [f"/{'x' * 300}", f"/{'x/' * 3000}", "/loop/x", "/bin/sh/x", "/nul\0"])
def test_a_path_that_can_be_none_is_the_askers_mistake(pydd: Pydd, docker: Docker, busybox: str, path: str):
    name = docker.create("nopath", busybox, "ln", "-s", "/loop", "/loop", options=("--network", "none"))
    docker("start", "-a", name)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(pydd.config.socket_path)), timeout=60) as client:
        url = f"http://engine/containers/{name}/archive?path={quote(path)}"
        archive = io.BytesIO()
        tarfile.open(fileobj=archive, mode="w").close()
        answers = [client.head(url), client.get(url), client.put(url, content=archive.getvalue())]
    assert {answer.status_code for answer in answers} <= {400, 404}
    docker("rm", name)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("./", {".", "./d", "./d/f", "./d/l"}),
        ("/./", {".", "./d", "./d/f", "./d/l"}),
        ("/here/d/./", {".", "./f", "./l"}),
        ("/here/d/", {"d", "d/f", "d/l"}),
        ("/here/link/", {"link", "link/f", "link/l"}),
        ("/here/link", {"link"}),
        ("/here/d/l", {"l"}),
    ],
)
def test_a_path_names_its_archive_as_docker_does(both: Docker, path: str, names: set[str]):
    """Version 0.1 called what `/./` holds by its name from the root on."""
    image = both.image("named", {"here/d/f": b"x", "here/d/l": "-> f", "here/link": "-> d", **busybox_files()})
    name = both.create("named", image, "true", options=("--network", "none"))
    with httpx.Client(transport=httpx.HTTPTransport(uds=both.host.removeprefix("unix://")), timeout=60) as client:
        answer = client.get(f"http://engine/containers/{name}/archive?path={quote(path)}")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        listed = {entry.name.replace("./here/", "./") for entry in tar}
    assert names <= listed
    assert all("./" in member or member == "." for member in listed) == (names >= {"."})
    both("rm", name)


@pytest.mark.parametrize("path", ["/bin/busybox/", "/bin/busybox/.", "/bin/sh/"])
def test_a_file_is_no_directory_for_being_called_one(both: Docker, path: str):
    image = both.image("filed", busybox_files())
    name = both.create("filed", image, "true", options=("--network", "none"))
    with httpx.Client(transport=httpx.HTTPTransport(uds=both.host.removeprefix("unix://")), timeout=60) as client:
        answer = client.get(f"http://engine/containers/{name}/archive?path={quote(path)}")
    assert answer.status_code in {400, 500}
    assert "not a directory" in answer.json()["message"]
    both("rm", name)


def test_files_that_the_engine_creates_for_a_container_are_copied_too(both: Docker, tmp_path: Path):
    """The working directory before the container has run; its hosts file and the like after."""
    image = both.image("made", busybox_files(), directories=("tmp", "etc"))
    name = both.create("made", image, "true", options=("--network", "none", "-w", "/home/deep/work", "-h", "named"))
    both("cp", f"{name}:/home/deep", str(tmp_path / "deep"))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["work"]
    both("start", "-a", name)
    both("cp", f"{name}:/etc/hostname", str(tmp_path / "hostname"))
    assert (tmp_path / "hostname").read_text() == "named\n"
    both("rm", name)


def test_files_copied_below_a_volume_are_in_the_image(both: Docker, tmp_path: Path):
    """Version 0.1 put it into a volume of the build's container, which was removed with it."""
    image = both.image("below", busybox_files(), directories=("tmp", "etc"))
    built = both.name("built") + ":1"
    (tmp_path / "file").write_text("text")
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nVOLUME /data\nCOPY file /data/file\nWORKDIR /data/work\n")
    subprocess.run(
        ["docker", "build", "-q", "--label", f"pyd.test={both.prefix}", "-t", built, str(tmp_path)],
        env=environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0"),
        capture_output=True,
        check=True,
    )
    assert both("run", "--rm", "--network", "none", built, "ls", "/data").split() == ["file", "work"]
    both("rmi", built)
