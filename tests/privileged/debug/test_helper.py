"""Sessions through a helper container: as a user who isn't root, over ssh, and over TCP."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from pyd_core.debug.helper.container import LABEL
from support.connections import Way, ways
from support.debugging import Run, main_pid
from support.docker import LABEL as MARK
from support.docker import LONE, Docker

HELPER_TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def every_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    with ways(tmp_path_factory.mktemp("ways")) as connections:
        yield connections


@pytest.fixture(scope="module")
def user(every_way: dict[str, Way]) -> Way:
    return every_way["user"]


@pytest.fixture(scope="module")
def quiet(docker: Docker, distroless: str, user: Way) -> str:
    """A container that allows as little as can be, without a network; the engine has the helper's image."""
    options = ("--read-only", "--user", "1000", "--cap-drop", "ALL", *LONE)
    name = docker.run("quiet", distroless, options=options)
    user.debug(name, "-c", "true")
    return name


def helpers(docker: Docker, target: str) -> list[str]:
    """Helper containers that look at a target."""
    whole = docker.inspect(target)["Id"]
    return docker("ps", "-aq", "--no-trunc", "--filter", f"label={LABEL}.target={whole}").split()


def wait_until_gone(docker: Docker, target: str) -> None:
    """Wait until the engine has removed what it was left to remove."""
    deadline = time.monotonic() + HELPER_TIMEOUT_S
    while helpers(docker, target):
        assert time.monotonic() < deadline, "a helper container stays"
        time.sleep(0.05)  # an auto-removal can't be waited for by a label


@pytest.mark.parametrize("name", ["user", "ssh", "tcp"])
def test_a_session_is_as_it_is_from_here_and_leaves_nothing(
    docker: Docker, quiet: str, every_way: dict[str, Way], name: str
):
    mounts = Path(f"/proc/{main_pid(docker, quiet)}/mountinfo").read_text()
    odd = ["a b", "q'\"x", "$HOME", "n\nl", "", "ünï"]
    line = 'cat; ls /app; ps -o comm= -p 1; id -u; printf "[%s]" "$@"; sleep 1000 & echo complaint >&2; exit 37'
    done = every_way[name].debug(quiet, "--", "bash", "-c", line, "x", *odd, stdin=b"one\ntwo\n")
    assert (done.returncode, done.stderr) == (37, b"complaint\n")
    assert done.stdout.decode() == "one\ntwo\n/app\napp\n0\n" + "".join(f"[{text}]" for text in odd)
    assert helpers(docker, quiet) == []
    assert docker("diff", quiet) == ""
    assert Path(f"/proc/{main_pid(docker, quiet)}/mountinfo").read_text() == mounts


def test_much_passes_both_ways_and_errors_are_as_from_here(user: Way, quiet: str):
    data = bytes(range(256)) * 16384
    assert user.debug(quiet, "--", "cat", stdin=data).stdout == data
    unread = user.debug(quiet, "-c", "sleep 0.3; exit 3", stdin=data)
    assert unread.returncode == 3
    unknown = user.debug(quiet, "--", "no-such-tool")
    assert unknown.returncode == 127
    assert b"no-such-tool: no such command" in unknown.stderr
    process = user.debug("pid:1", "-c", "true")
    assert process.returncode == 125
    assert b"requires root" in process.stderr


def test_the_least_rights_that_do_are_used_and_told(docker: Docker, user: Way, quiet: str):
    with subprocess.Popen(
        user.command("--explain", "--as", "target", quiet, "-c", "echo there; cat; cat /proc/self/status"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **user.options,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        (helper,) = helpers(docker, quiet)
        created = json.loads(docker("inspect", helper))[0]
        status, notices = process.communicate(timeout=120)
    host = created["HostConfig"]
    assert not host["Privileged"]
    assert host["PidMode"] == f"container:{docker.inspect(quiet)['Id']}"
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["AutoRemove"]) == ("none", True, True)
    assert host["LogConfig"]["Type"] == "none"
    assert "CAP_SYS_MODULE" not in host["CapAdd"]
    assert int(created["Config"]["Labels"][f"{LABEL}.expires"]) > time.time()
    assert "way in: a helper container, because pyd isn't root here" in notices
    assert "tier 3: its files at /" in notices
    assert "not taken over: what confines it; the session has the helper's filter" in notices
    assert "Seccomp:\t2" in status
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["1000"] * 4
    assert {int(fields[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}


def test_other_rights_can_be_asked_for(user: Way, quiet: str):
    line = "grep CapEff /proc/self/status; ls -d /target/app /app"
    without = user.debug("--tier", "0", quiet, "-c", line)
    assert b"CapEff:\t0000000000000000" in without.stdout
    assert b"/app\n" not in without.stdout
    restricted = user.debug("--tier", "2", quiet, "-c", line)
    assert restricted.stdout.endswith(b"/target/app\n")
    whole = user.debug("--tier", "4", quiet, "-c", line)
    assert whole.stdout.endswith(b"\n/app\n")
    refused = user.debug("--tier", "1", "--as", "target", quiet, "-c", "true")
    assert refused.returncode == 125
    assert b"doesn't enter the target" in refused.stderr


def test_signals_reach_the_command_and_a_killed_client_leaves_nothing(docker: Docker, user: Way, quiet: str):
    line = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    for number, code in ((signal.SIGTERM, 9), (signal.SIGKILL, -9)):
        with subprocess.Popen(
            user.command(quiet, "-c", line), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **user.options
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            assert process.stdout.read() == (b"caught\n" if code == 9 else b"")
            assert process.wait(30) == code
        wait_until_gone(docker, quiet)


def test_the_end_of_the_target_is_told(docker: Docker, user: Way, distroless: str):
    name = docker.run("short", distroless, options=LONE)
    with subprocess.Popen(
        user.command(name, "-c", "echo ready; sleep 1000"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **user.options,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        docker("kill", "-s", "TERM", name)
        _, notices = process.communicate(timeout=120)
    assert f"{name} has ended with exit code 0" in notices
    assert process.returncode == 137


def test_what_does_not_run_has_a_stand_in(docker: Docker, user: Way, busybox: str):
    name = docker.run("gone", busybox, "sh", "-c", "echo kept > /kept; exit 3", options=LONE)
    docker("wait", name)
    done = user.debug("--diff", name, "-c", "cat /kept; echo new > /new; id -u")
    assert done.stdout == b"kept\n0\nA /new\n"
    assert docker("diff", name).split() == ["A", "/kept"]
    image = user.debug(f"image:{busybox}", "-c", "ls /bin/busybox")
    assert image.stdout == b"/bin/busybox\n"
    assert docker("ps", "-aq", "--filter", f"label={LABEL}", "--filter", f"ancestor={busybox}") == ""


def test_shared_pid_namespaces_and_an_init_are_seen_through(docker: Docker, user: Way, busybox: str):
    host = docker.run("hostpid", busybox, "sleep", "1000", options=("--pid", "host", *LONE))
    with_init = docker.run("init", busybox, "sh", "-c", "X=1 exec sleep 1000", options=("--init", *LONE))
    sharing = docker.run("shared", busybox, "sleep", "2000", options=("--pid", f"container:{with_init}", *LONE))
    for name in (host, sharing):
        done = user.debug(name, "-c", "cat /etc/hostname; ls /bin/busybox")
        assert done.stdout.split() == [docker.inspect(name)["Config"]["Hostname"].encode(), b"/bin/busybox"]
    done = user.debug("--explain", with_init, "-c", "true")
    assert b"process 1 of" not in done.stderr


PROMPT = r"\(running\)"


def test_the_terminal_is_the_targets(user: Way, quiet: str):
    program, *arguments = user.command(quiet)
    child = pexpect.spawn(program, arguments, timeout=120, dimensions=(30, 100), encoding="utf-8", **user.options)
    try:
        child.expect(f"in {quiet}: you see the container's files")
        child.sendline("echo $((6*7)); stty size")
        child.expect("42\r\n30 100\r\n")
        child.setwinsize(40, 120)
        child.sendline("sh -c 'trap \"stty size; exit\" WINCH; stty size; while :; do sleep 0.1; done'")
        if child.expect(["40 120\r\n", "30 100\r\n"]):
            child.expect("40 120\r\n")
        child.sendcontrol("c")
        child.expect(PROMPT)  # an interrupt takes what was typed ahead with it
        child.sendline("sh -c 'echo re\"\"ady; exec sleep 1000'")
        child.expect("ready\r\n")
        child.sendcontrol("c")
        child.expect(PROMPT)
        child.sendline("exit 5")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 5
    finally:
        child.close(force=True)


def test_a_network_is_seen_as_a_member_of_it_sees_it(docker: Docker, user: Way, quiet: str, debug: Run):
    name = docker.name("seen-net")
    docker("network", "create", "--label", f"{MARK}={docker.prefix}", name)
    gateway = json.loads(docker("network", "inspect", name))[0]["IPAM"]["Config"][0]["Gateway"]
    line = "ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p'"
    assert debug(f"net:{name}", "-c", line).stdout.strip() == gateway
    assert user.debug(f"net:{name}", "-c", line).stdout.decode().strip() == gateway
    routes = json.loads(debug(f"net:{name}", "-b", "net --json").stdout)["routes"]
    assert gateway in {route["via"] for route in routes}
    assert json.loads(docker("network", "inspect", name))[0]["Containers"] == {}
    unknown = debug("net:no-such-network", "-c", "true")
    assert (unknown.returncode, "no network 'no-such-network'" in unknown.stderr) == (125, True)
