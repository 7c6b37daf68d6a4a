from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.debug.toolbox import pushed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_last_pushed_image_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert pushed.last_pushed() == ""
    pushed.remember("registry/a")
    pushed.remember("registry/b")
    pushed.remember("registry/a")
    assert pushed.pushed_images() == ["registry/a", "registry/b"]
    assert pushed.is_toolbox_image("registry/b")
    assert not pushed.is_toolbox_image("")


def test_a_damaged_file_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    pushed.remember("registry/a")
    (tmp_path / "pyd" / pushed.FILE).write_text("{")
    assert pushed.last_pushed() == ""
