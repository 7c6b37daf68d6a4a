"""The two scripts of the top folder, as far as they go without changing anything; tests/rootfs/run.sh does the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "cat", "dirname", "id", "mktemp", "rm")


HIDE_PYTHON = 'for python in /usr/bin/python3*; do mount --bind /dev/null "$python"; done; PATH=$0 exec /bin/sh "$@"'
"""Runs a script, in a mount namespace of its own, where no interpreter of the system can be started."""


def run(script: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    hidden = ("unshare", "--mount", "sh", "-c", HIDE_PYTHON, path) if path else ("/bin/sh",)
    return subprocess.run(
        [*hidden, SOURCE / script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.parametrize("script", ["up.sh", "test.sh"])
def test_help_tells_what_is_installed_and_changes_nothing(script: str):
    output = run(script, "--help")
    assert output.returncode == 0
    assert output.stdout.startswith(f"Usage: sh {script}")
    assert "Docker Engine" in output.stdout


@pytest.mark.parametrize("script", ["up.sh", "test.sh"])
def test_a_wrong_option_is_a_wrong_use(script: str):
    output = run(script, "--frobnicate")
    assert output.returncode == 2
    assert output.stderr.startswith(f"Usage: sh {script}")


def test_without_apt_and_python_the_packages_to_install_are_named(tmp_path: Path):
    for tool in TOOLS:
        where = shutil.which(tool)
        assert where is not None
        (tmp_path / tool).symlink_to(where)
    output = run("up.sh", path=str(tmp_path))
    assert output.returncode == 1
    assert "no Python 3.11 or later" in output.stderr
    assert "Docker Engine" in output.stderr
    assert "podman" in output.stderr.lower()
