"""Attacks by a target that watches a session's processes, from their first moment to their last.

A main process with CAP_SYS_PTRACE looked into the keeper while that had the host's root, environment and descriptors.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.attacks import EVERY, SAME_ELSEWHERE, STATES, Lab, Marker
from support.exposure import Sighting, find_leaks, parse_sightings

OUT = "/tmp/seen"
IMAGE_PROGRAMS = ("/bin/",)
SESSIONS = 10 if EVERY else 2
"""Sessions for one watch: each is a new one, which the scheduler exposes at other moments."""
WATCH_MS = "400"
RIGHTS = (
    (),
    ("--cap-add", "SYS_PTRACE"),
    ("--cap-add", "SYS_PTRACE", "--cap-add", "SYS_ADMIN"),
    ("--privileged",),
    ("--user", "1000"),
)


def wait_for_text(path: Path, text: str) -> None:
    """Wait until a file has a text, by reading it whenever it may have grown."""
    deadline = time.monotonic() + 60
    while not path.exists() or text not in path.read_text(errors="replace"):
        assert time.monotonic() < deadline, f"{path} never said {text!r}"
        select.select([], [], [], 0.02)  # the file is another mount namespace's, where it can't be watched


def watch(lab: Lab, marker: Marker, identity: str, options: Sequence[str]) -> list[Sighting]:
    """Start a container that watches, run sessions in it, and return what it saw."""
    command = ("/bin/watch", OUT, str(marker.path), lab.secret[::-1])
    name = lab.start("watch", *command, options=options)
    out = lab.root(name) / OUT[1:]
    try:
        wait_for_text(out, "watching")
        for _ in range(SESSIONS):
            done = lab.debug(name, "-c", "ls / >/dev/null; echo $((6 * 7))", identity=identity)
            assert done.stdout == "42\n", done
        return parse_sightings(out.read_text(errors="replace"))
    finally:
        lab.corner("rm", "-f", name)


@pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: " ".join(rights) or "usual")
@pytest.mark.parametrize("identity", ["root", "target", "1000"] if EVERY else ["root", "target"])
def test_a_watching_main_process_sees_nothing_of_the_host(
    docker_lab: Lab, marker: Marker, rights: tuple[str, ...], identity: str
):
    marker.path.chmod(0o666)
    seen = watch(docker_lab, marker, identity, rights)
    assert {sighting.pid for sighting in seen if sighting.kind == "born"}, "no process of a session was seen"
    marker.assert_unreached()
    if {"SYS_ADMIN", "--privileged"} & {*rights}:  # root on the host by what it was given
        seen = [sighting for sighting in seen if sighting.kind != "mapfile"]
    assert find_leaks(seen, docker_lab.secret, IMAGE_PROGRAMS) == []


@pytest.mark.xfail(reason="the interpreter's libraries are mapped from the host's files", strict=False)
def test_no_library_of_the_hosts_is_opened_for_writing_by_its_mapping(docker_lab: Lab, marker: Marker):
    """CAP_CHECKPOINT_RESTORE opens the files that a traced process maps, and the host's root may write them."""
    rights = ("--cap-add", "SYS_PTRACE", "--cap-add", "CHECKPOINT_RESTORE")
    seen = watch(docker_lab, marker, "root", rights)
    assert [sighting for sighting in seen if sighting.kind == "mapfile"] == []


@pytest.mark.parametrize("engine", ["podman_lab", "pydd_lab"])
def test_the_same_on_every_engine(request: pytest.FixtureRequest, marker: Marker, engine: str):
    lab: Lab = request.getfixturevalue(engine)
    seen = watch(lab, marker, "root", ("--cap-add", "SYS_PTRACE"))
    marker.assert_unreached()
    assert find_leaks(seen, lab.secret, IMAGE_PROGRAMS) == []


@pytest.mark.parametrize("identity", ["root", "target"])
@pytest.mark.parametrize("state", STATES)
def test_a_program_in_a_session_sees_nothing_of_the_host(lab: Lab, marker: Marker, state: str, identity: str):
    """Root in a session holds CAP_SYS_PTRACE itself: a program of the target's, run there, looked into its keeper."""
    if lab.engine != "docker" and identity == "target" and not EVERY:
        pytest.skip(SAME_ELSEWHERE)
    options = ("--cap-add", "SYS_PTRACE")
    command = ("sleep", "100000")
    running = state == "running"
    target = (
        lab.start("inside", *command, options=options) if running else lab.target(state, "inside", lab.image, options)
    )
    done = lab.debug(target, "--", "/bin/watch", "-", str(marker.path), lab.secret[::-1], WATCH_MS, identity=identity)
    sightings = parse_sightings(done.stdout)
    seen = [sighting for sighting in sightings if not (running and sighting.pid == 1)]  # the target's own
    assert any(sighting.kind == "watching" for sighting in seen), done
    marker.assert_unreached()
    assert find_leaks(seen, lab.secret, IMAGE_PROGRAMS) == []


@pytest.mark.parametrize("identity", ["root", "target"])
def test_a_process_that_stands_still_in_its_first_moment_shows_nothing(
    docker_lab: Lab, marker: Marker, identity: str, tmp_path: Path
):
    """The same, by a program that only stops what appears: the session waits, and is looked at from the host."""
    script = "while :; do i=2; while [ $i -lt 40 ]; do kill -STOP $i 2>/dev/null && break 2; i=$((i + 1)); done; done"
    script += "; echo $i > /tmp/stopped; exec sleep 100000"
    name = docker_lab.start("still", "sh", "-c", script)
    stopped = docker_lab.root(name) / "tmp/stopped"
    with subprocess.Popen(
        docker_lab.command(name, "-c", "true", identity=identity),
        env=docker_lab.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as session:
        try:
            wait_for_text(stopped, "\n")
            pid = host_pid(docker_lab.pid(name), int(stopped.read_text()))
            shown = {
                "environ": Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace"),
                "cmdline": Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"),
                "exe": str(Path(f"/proc/{pid}/exe").readlink()),
                "comm": Path(f"/proc/{pid}/comm").read_text(),
            }
            inside = Path(f"/proc/{pid}/root/").stat().st_ino, docker_lab.root(name).stat().st_ino
            links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        finally:
            session.kill()
            docker_lab.corner("rm", "-f", name)
    assert inside[0] == inside[1], "its root is the host's"
    leaks = find_leaks([Sighting(pid, kind, value) for kind, value in shown.items()], docker_lab.secret, IMAGE_PROGRAMS)
    assert leaks == []
    assert find_leaks([Sighting(pid, "fd", f"? -> {link}") for link in links], docker_lab.secret, ()) == []


def host_pid(main: int, inner: int) -> int:
    """Return the host's number of a process of a container's pid namespace."""
    namespace = Path(f"/proc/{main}/ns/pid").readlink()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and (entry / "ns/pid").readlink() == namespace:
                status = (entry / "status").read_text()
                if status.partition("NSpid:")[2].split("\n")[0].split()[-1] == str(inner):
                    return int(entry.name)
    raise AssertionError(f"no process {inner}")
