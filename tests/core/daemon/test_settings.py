"""The settings file: what may be in it, and what is said of the rest."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from pyd_core.daemon.settings import EngineSettings, read
from pyd_core.errors import ConfigError


def test_a_key_of_daemon_json_that_this_engine_has_not_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Version 0.1 refused to start: a file that serves Docker Engine too needs keys of its own there."""
    file = tmp_path / "engine.json"
    file.write_text(json.dumps({"storage-driver": "overlay2", "registry-mirrors": ["https://mirror.example.com"]}))
    with caplog.at_level(logging.WARNING):
        assert read(file) == EngineSettings(registry_mirrors=["https://mirror.example.com"])
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: this engine has no 'storage-driver': the key has no effect"
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"registry-mirrors": 1}', '{"runtimes": {"x": {}}}'])
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "engine.json"
    file.write_text(text)
    with pytest.raises(ConfigError):
        read(file)


def test_no_file_is_an_empty_one(tmp_path: Path):
    assert read(tmp_path / "nosuch.json") == EngineSettings()
