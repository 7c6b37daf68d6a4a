"""Modes of `--chmod`."""

from __future__ import annotations

import stat

import pytest

from pyd_core.daemon.build.solver.modes import ModeChange
from pyd_core.errors import InvalidInput

FILE, DIRECTORY = stat.S_IFREG | 0o640, stat.S_IFDIR | 0o750


@pytest.mark.parametrize(
    ("text", "mode", "result"),
    [
        ("644", FILE, 0o644),
        ("4755", FILE, 0o4755),
        ("0", FILE, 0),
        ("u=rwX,go=rX", FILE, 0o644),
        ("u=rwX,go=rX", DIRECTORY, 0o755),
        ("+x", FILE, 0o751),
        ("go-rwx", FILE, 0o600),
        ("a=r", FILE, 0o444),
        ("u+s", FILE, 0o4640),
        ("+t", DIRECTORY, 0o1750),
    ],
)
def test_changes(text: str, mode: int, result: int) -> None:
    assert ModeChange.parse(text).apply(mode) == result


@pytest.mark.parametrize("text", ["", "888", "77777", "u=q", "x", "u+r,", "\u0667\u0667"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        ModeChange.parse(text)
