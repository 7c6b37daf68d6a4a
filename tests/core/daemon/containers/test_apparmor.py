"""AppArmor's profile: its text, by AppArmor's own parser, which needs no kernel that has it, and who gets it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pyd_core.daemon.containers import apparmor
from pyd_core.model.host_config import HostConfig
from support.missing import missing


def parsed(text: str) -> subprocess.CompletedProcess[str]:
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin")
    if parser is None:
        missing("apparmor_parser")
    assert parser is not None
    return subprocess.run([parser, "-Q", "-K"], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("engine", ["unconfined", "/usr/bin/pydd", "pydd//inner"])
def test_the_profile_compiles(engine: str):
    done = parsed(apparmor.text(engine=engine))
    assert done.returncode == 0, done.stderr


def test_the_profile_compiles_where_apparmors_own_pieces_are_missing(tmp_path: Path):
    text = apparmor.text(macros=tmp_path)
    assert "#include" not in text
    done = parsed(text)
    assert done.returncode == 0, done.stderr


def test_the_real_parser_is_used():
    assert parsed(apparmor.text().replace("deny mount,", "deny mont,")).returncode != 0


@pytest.mark.parametrize(
    ("host", "requested", "is_supported", "profile"),
    [
        (HostConfig(), "", True, "docker-default"),
        (HostConfig(), "", False, ""),
        (HostConfig(privileged=True), "", True, "unconfined"),
        (HostConfig(), "unconfined", True, "unconfined"),
        (HostConfig(), "mine", True, "mine"),
        (HostConfig(privileged=True), "mine", True, "mine"),
        (HostConfig(), "mine", False, "mine"),
    ],
)
def test_the_profile_follows_the_configuration_and_the_kernel(
    host: HostConfig, requested: str, is_supported: bool, profile: str
):
    assert apparmor.profile(host, requested, is_supported=is_supported) == profile


def test_it_is_there_only_where_the_kernel_says_so(tmp_path: Path):
    enabled, loaded = tmp_path / "enabled", tmp_path / "profiles"
    assert not apparmor.supported(enabled=enabled, loaded=loaded)
    loaded.touch()
    enabled.write_text("N\n")
    assert not apparmor.supported(enabled=enabled, loaded=loaded)
    enabled.write_text("Y\n")
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin")
    assert apparmor.supported(enabled=enabled, loaded=loaded) == bool(parser)
    loaded.unlink()
    assert not apparmor.supported(enabled=enabled, loaded=loaded)
