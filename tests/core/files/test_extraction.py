"""Untrusted archives extracted here, on every Python that pyd runs on."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pyd_core.files.extraction import data_filter

STEPS = "abcdefghijklmnop"


def add(tar: tarfile.TarFile, name: str, kind: bytes, target: str = "", content: bytes = b"") -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size, entry.mode = kind, target, len(content), 0o755
    tar.addfile(entry, io.BytesIO(content))


def long_names(last: list[tuple[str, bytes, str, bytes]]) -> bytes:
    """Return an archive whose links resolve to a name beyond PATH_MAX (CVE-2025-4517), then these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        path = ""
        for step in STEPS:
            add(tar, path + "d" * 247, tarfile.DIRTYPE)
            add(tar, path + step, tarfile.SYMTYPE, "d" * 247)
            path += "d" * 247 + "/"
        link = "/".join(STEPS) + "/" + "l" * 254
        add(tar, link, tarfile.SYMTYPE, "../" * len(STEPS))
        add(tar, "escape", tarfile.SYMTYPE, f"{link}/../outside")
        for name, kind, target, content in last:
            add(tar, name, kind, target, content)
    return buffer.getvalue()


def extract(archive: bytes, directory: Path) -> list[str]:
    """Extract what is not refused, and return the names of what is."""
    refused = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            try:
                tar.extract(member, directory, filter=data_filter)
            except (tarfile.FilterError, OSError):
                refused.append(member.name)
    return refused


@pytest.mark.parametrize(
    "last",
    [
        [("escape/file", tarfile.REGTYPE, "", b"changed")],
        [("inner", tarfile.LNKTYPE, "escape/file", b""), ("inner", tarfile.REGTYPE, "", b"changed")],
        [("escape", tarfile.DIRTYPE, "", b"")],
        [("into", tarfile.SYMTYPE, "escape/file", b""), ("into", tarfile.REGTYPE, "", b"changed")],
    ],
)
def test_names_beyond_path_max_cannot_escape(tmp_path: Path, last: list[tuple[str, bytes, str, bytes]]):
    """tarfile's own filter let these change files next to the directory, on Pythons before 3.11.13."""
    (tmp_path / "outside").mkdir(mode=0o700)
    (tmp_path / "outside/file").write_text("own")
    (tmp_path / "into").mkdir()
    extract(long_names(last), tmp_path / "into")
    assert (tmp_path / "outside/file").read_text() == "own"
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["file"]
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o700


def test_harmless_archives_are_extracted(tmp_path: Path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add(tar, "./dir", tarfile.DIRTYPE)
        add(tar, "./dir/file", tarfile.REGTYPE, content=b"text")
        add(tar, "./dir/hard", tarfile.LNKTYPE, "./dir/file")
        add(tar, "./dir/soft", tarfile.SYMTYPE, "file")
        add(tar, "./dir/soft", tarfile.SYMTYPE, "hard")
    assert extract(buffer.getvalue(), tmp_path) == []
    assert (tmp_path / "dir/soft").read_text() == (tmp_path / "dir/hard").read_text() == "text"


def test_no_member_is_written_through_a_link(tmp_path: Path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add(tar, "real", tarfile.DIRTYPE)
        add(tar, "link", tarfile.SYMTYPE, "real")
        add(tar, "link/file", tarfile.REGTYPE, content=b"x")
        add(tar, "../file", tarfile.REGTYPE, content=b"x")
    assert extract(buffer.getvalue(), tmp_path / "into") == ["link/file", "../file"]
