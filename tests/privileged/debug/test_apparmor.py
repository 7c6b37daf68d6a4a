"""AppArmor's profile of a container: a session as its user has it too, a debugger's has not."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.debugging import Run
from support.docker import LONE, Docker, busybox_files

ENABLED = Path("/sys/module/apparmor/parameters/enabled")
pytestmark = pytest.mark.skipif(
    not ENABLED.exists() or ENABLED.read_text().strip() != "Y", reason="this kernel has no AppArmor; nox -s vm has"
)

RULES = """
profile {name} flags=(attach_disconnected,mediate_deleted) {{
  network,
  capability,
  file,
  signal,
  ptrace,
  unix,
  deny /planted r,
}}
"""
"""All may be done but one thing, which neither rights nor modes forbid."""

WHO = "cat /proc/self/attr/current; cat /planted"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a profile that the kernel has for this run."""
    name = f"pyd-test-{uuid.uuid4().hex[:8]}"
    rules = tmp_path_factory.mktemp("profile") / name
    rules.write_text(RULES.format(name=name))
    subprocess.run(["apparmor_parser", "--add", "--skip-cache", rules], check=True)
    yield name
    subprocess.run(["apparmor_parser", "--remove", rules], check=True)


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    """Busybox, and the file that may not be read."""
    return docker.image("guarded", {**busybox_files(), "planted": "found\n"}, directories=("proc", "tmp"))


@pytest.fixture(scope="module")
def guarded(docker: Docker, image: str, profile: str) -> str:
    """A container under the profile."""
    return docker.run("guarded", image, "sleep", "1000", options=("--security-opt", f"apparmor={profile}", *LONE))


@pytest.mark.parametrize("identity", ["target", "1000:1000"])
def test_a_session_as_the_target_is_refused_what_the_profile_refuses(
    debug: Run, docker: Docker, guarded: str, profile: str, identity: str
):
    assert docker("exec", guarded, "cat", "/proc/self/attr/current") == f"{profile} (enforce)"
    done = debug("--as", identity, guarded, "-c", WHO)
    assert done.stdout == f"{profile} (enforce)\n", done.stderr
    assert "Permission denied" in done.stderr
    assert "not taken over" not in done.stderr


def test_a_debugger_is_not_confined(debug: Run, guarded: str):
    done = debug(guarded, "-c", WHO)
    assert (done.returncode, done.stdout) == (0, "unconfined\nfound\n"), done.stderr


def test_a_profile_and_no_new_privileges_hold_together(debug: Run, docker: Docker, image: str, profile: str):
    options = ("--security-opt", f"apparmor={profile}", "--security-opt", "no-new-privileges", "--cap-drop", "ALL")
    name = docker.run("guarded-without-rights", image, "sleep", "1000", options=(*options, *LONE))
    done = debug("--as", "target", name, "-c", f"grep NoNewPrivs: /proc/self/status; {WHO}")
    assert done.stdout.split("\n") == ["NoNewPrivs:\t1", f"{profile} (enforce)", ""], done.stderr
    assert "Permission denied" in done.stderr


def test_what_the_engine_confines_all_with_is_taken_over_and_told(debug: Run, docker: Docker, busybox: str):
    name = docker.run("by-default", busybox, "sleep", "1000", options=LONE)
    own = docker("exec", name, "cat", "/proc/self/attr/current")
    assert own.endswith(" (enforce)"), "this engine gives its containers no profile"
    done = debug("--explain", "--as", "target", name, "-c", "cat /proc/self/attr/current; kill -0 1 && echo reached")
    assert done.stdout == f"{own}\nreached\n", done.stderr
    assert "\npyd: taken over: its AppArmor profile" in done.stderr
    assert "\npyd: not taken over: its AppArmor profile" in debug("--explain", name, "-c", "true").stderr
