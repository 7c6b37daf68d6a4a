"""Files copied into containers of a node, which has neither tar in them nor an engine's archive calls."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from support.node.containerd import Containerd
from support.pyd import Run


@pytest.fixture
def web(node: Containerd) -> str:
    command = ["sh", "-c", "echo old > /srv/file; exec sleep 1000"]
    node.container(node.pod("web"), "web", "app", command)
    return "shop/web/app"


def archive(*members: tuple[str, bytes | str]) -> bytes:
    """Return a tar; a text is the target of a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.uid = info.gid = 4321
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def test_files_and_directories_are_copied_in_and_belong_to_root(pyd: Run, web: str, tmp_path: Path):
    (tmp_path / "site/deep").mkdir(parents=True)
    (tmp_path / "site/deep/page").write_bytes(b"text\n" * 100_000)
    (tmp_path / "site/link").symlink_to("deep/page")
    done = pyd("cp", str(tmp_path / "site"), f"{web}:/srv")
    assert done.returncode == 0, done.stderr
    seen = pyd("exec", web, "sh", "-c", "cat /srv/site/link | head -n 1; [ -O /srv/site/deep/page ] && echo own")
    assert seen.stdout.split() == ["text", "own"]
    (tmp_path / "new").write_text("new\n")
    assert pyd("cp", str(tmp_path / "new"), f"{web}:/srv/file").returncode == 0
    assert pyd("exec", web, "cat", "/srv/file").stdout == "new\n"
    back = pyd("cp", f"{web}:/srv/site/deep/page", str(tmp_path / "back"))
    assert (back.returncode, (tmp_path / "back").stat().st_size) == (0, 500_000)


def test_a_stream_keeps_owners_if_asked(pyd: Run, web: str):
    data = archive(("a", b"1"))
    assert pyd("cp", "-", f"{web}:/srv", stdin=data).returncode == 0
    assert pyd("exec", web, "sh", "-c", "[ -O /srv/a ] && echo own").stdout == "own\n"
    assert pyd("cp", "-a", "-", f"{web}:/srv", stdin=data).returncode == 0
    assert pyd("exec", web, "sh", "-c", "[ -O /srv/a ] || echo foreign").stdout == "foreign\n"


@pytest.mark.parametrize("path", ["/nothing", "/srv/file"])
def test_what_is_no_directory_is_refused(pyd: Run, web: str, path: str):
    done = pyd("cp", "-", f"{web}:{path}", stdin=archive(("a", b"1")))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) <= 2


def test_neither_a_link_nor_a_name_leads_out_of_the_container(pyd: Run, web: str, node: Containerd, tmp_path: Path):
    """The container lays a link to a directory of the host; the archive brings another, and a name that climbs."""
    host = tmp_path / "host"
    host.mkdir()
    assert pyd("exec", web, "sh", "-c", f"busybox ln -s {host} /srv/out").returncode == 0
    for data in (
        archive(("out/stolen", b"x")),
        archive(("mine", str(host)), ("mine/stolen", b"x")),
        archive((f"../../../../..{host}/stolen", b"x")),
    ):
        pyd("cp", "-", f"{web}:/srv", stdin=data)
    pyd("cp", "-", f"{web}:/srv/out", stdin=archive(("stolen", b"x")))
    pyd("cp", "-", f"{web}:/proc/1/root/../..{host}", stdin=archive(("stolen", b"x")))
    assert list(host.iterdir()) == []


def test_a_read_only_client_and_a_stopped_container_are_refused(pyd: Run, web: str, node: Containerd):
    data = archive(("a", b"1"))
    refused = pyd("--read-only", "cp", "-", f"{web}:/srv", stdin=data)
    assert "read-only" in refused.stderr
    node.container(node.pod("done"), "done", "app", ["true"])
    ended = pyd("cp", "-", "shop/done/app:/srv", stdin=data)
    assert (ended.returncode, "is not running" in ended.stderr) == (1, True)
