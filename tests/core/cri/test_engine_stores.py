from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pyd_core.cri import engine_stores as module
from pyd_core.cri.engine_stores import ContainerdStore, EngineOptions, candidates, engine_stores, parse_arguments


def test_options_are_read_in_both_forms_and_the_last_one_counts():
    line = ["dockerd", "--exec-root", "/a", "--exec-root=/b", "-H", "fd://", "--containerd=/c.sock", "--debug", ""]
    assert parse_arguments(line) == EngineOptions(exec_root="/b", containerd="/c.sock")
    assert parse_arguments(["dockerd", "--exec-root"]) == EngineOptions()


def test_a_named_containerd_is_the_only_candidate():
    given = EngineOptions(containerd="unix:///c.sock", exec_root="/run/other", containerd_namespace="mine")
    assert candidates(given, EngineOptions(containerd="/no.sock")) == [ContainerdStore("/c.sock", "mine")]


def test_without_a_name_it_is_the_systems_or_the_engines_own():
    assert candidates(EngineOptions(), EngineOptions(exec_root="/run/other")) == [
        ContainerdStore("/run/containerd/containerd.sock", "moby"),
        ContainerdStore("/run/other/containerd/containerd.sock", "moby"),
    ]


def test_a_listener_without_options_of_dockerd_leads_to_sockets_that_exist_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "daemon.json"
    monkeypatch.setattr(module, "_DEFAULT_CONFIG", str(config))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    engine, store, file = tmp_path / "engine.sock", tmp_path / "c.sock", tmp_path / "file"
    file.touch()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(engine))
        listener.listen()
        other.bind(str(store))
        expected = [ContainerdStore(str(store), "moby")] if os.getuid() == 0 else []
        config.write_text(f'{{"containerd": "{store}", "hosts": []}}')
        assert engine_stores(engine) == expected
        for unusable in (file, tmp_path / "missing.sock", Path("relative.sock")):
            config.write_text(f'{{"containerd": "{unusable}"}}')
            assert engine_stores(engine) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"containerd": 5}'])
def test_a_configuration_file_that_is_broken_says_nothing(tmp_path: Path, content: str):
    file = tmp_path / "daemon.json"
    file.write_text(content)
    assert module._read_config(str(file)) == EngineOptions()


def test_a_configuration_file_that_would_block_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert module._read_config(str(tmp_path / "pipe")) == EngineOptions()


def test_an_engine_that_is_gone_has_no_store(tmp_path: Path):
    assert engine_stores(tmp_path / "engine.sock") == []
