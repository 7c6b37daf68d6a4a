from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from pyd_core.cri.log_files import BLOCK_BYTES, log_directory, tail_offset
from pyd_core.errors import NotFound, Refused, Unsupported


def test_rotated_files_come_oldest_first_and_decompressed(tmp_path: Path):
    (tmp_path / "0.log").write_bytes(b"new\n")
    (tmp_path / "0.log.20260102").write_bytes(b"middle\n")
    (tmp_path / "0.log.20260101.gz").write_bytes(gzip.compress(b"old\n"))
    (tmp_path / "0.log.20260103.gz.tmp").write_bytes(b"half")
    (tmp_path / "1.log").write_bytes(b"other run\n")
    with log_directory(str(tmp_path / "0.log")) as directory:
        names = [*directory.rotated(), directory.name]
        texts: list[bytes] = []
        for name in names:
            with directory.open(name) as file:
                texts.append(file.read())
    assert texts == [b"old\n", b"middle\n", b"new\n"]


def test_links_pipes_and_paths_that_climb_are_refused(tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link.log").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.log")
    with log_directory(str(tmp_path / "link.log")) as directory:
        with pytest.raises(Refused):
            directory.open("link.log")
        with pytest.raises(Refused, match="not a regular file"):
            directory.open("pipe.log")
        with pytest.raises(NotFound):
            directory.open("missing.log")
    (tmp_path / "aside").symlink_to(tmp_path)
    with pytest.raises(Refused):
        log_directory(str(tmp_path / "aside" / "0.log")).__enter__()
    for path in ("relative.log", f"{tmp_path}/../x.log", f"{tmp_path}/"):
        with pytest.raises(Unsupported):
            log_directory(path).__enter__()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 10_000])
def test_the_last_lines_are_found_from_the_end(tmp_path: Path, count: int):
    lines = [b"x" * (index % 50) + b"\n" for index in range(BLOCK_BYTES // 8)]
    path = tmp_path / "0.log"
    path.write_bytes(b"".join(lines))
    with path.open("rb") as file:
        offset, missing = tail_offset(file, count)
        file.seek(offset)
        assert file.readlines() == lines[len(lines) - min(count, len(lines)) :]
    assert missing == max(0, count - len(lines))
