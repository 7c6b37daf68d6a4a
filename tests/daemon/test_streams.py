"""Clients joined to a container's streams: none of them holds it up, and what they ask next is answered right."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack

import pytest

from pyd_core.daemon.containers import execs
from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.raw import Typist, connected, head, request, rest, unframed
from support.staging import wait_until

KEYS = b"\x10\x11"
"""ctrl-p ctrl-q."""
SLOWLY = "i=0; while [ $i -lt 800 ]; do i=$((i+1)); echo $i; usleep 500; done"
"""Prints so that each line is a packet of its own: some 280 fit into a socket that no client reads."""


@pytest.fixture(scope="module")
def box(both: Docker) -> str:
    return both.image("streams", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def waited(docker: Docker, name: str, seconds: float = 60.0) -> int:
    """Wait for a container's end, for so long at most."""
    command = ["docker", "-H", docker.host, "wait", name]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=seconds).stdout)


def numbers(docker: Docker, name: str) -> list[int]:
    return [int(line) for line in docker("logs", name).split()]


def counting(count: int) -> tuple[str, ...]:
    return ("sh", "-c", f"seq 1 {count}; exit 3")


def test_a_client_that_is_gone_before_its_answer_holds_nothing_up(both: Docker, box: str):
    """At 590e172 the container stops after some 280 lines, as no client reads what it is attached to."""
    name = both.create("vanished", box, "sh", "-c", SLOWLY, options=LONE)
    for _ in range(5):
        with connected(both) as client:
            client.sendall(request("POST", f"/containers/{name}/attach?stream=1&stdout=1&logs=1"))
    both("start", name)
    assert waited(both, name) == 0
    assert numbers(both, name) == list(range(1, 801))
    both("rm", name)


def test_with_a_recorder_next_to_the_engine_a_container_keeps_printing(both: Docker, box: str):
    """At 590e172, run as it is installed, the recorder's attach of each container that is created stays unread."""
    name = both.run("printing", box, "sh", "-c", SLOWLY, options=LONE)
    assert waited(both, name) == 0
    assert numbers(both, name) == list(range(1, 801))


def test_a_client_that_reads_nothing_holds_up_neither_container_nor_log_and_gets_all_in_the_end(
    pydd: Pydd, docker: Docker, busybox: str
):
    """At 590e172 the container waits for it, as it does with Docker Engine after a megabyte."""
    count = 600_000
    name = docker.create("unread", busybox, *counting(count), options=LONE)
    with connected(docker) as client:
        client.sendall(request("POST", f"/containers/{name}/attach?stream=1&stdout=1"))
        head(client)
        docker("start", name)
        assert waited(docker, name) == 3
        assert len(numbers(docker, name)) == count
        assert unframed(rest(client)) == b"".join(b"%d\n" % number for number in range(1, count + 1))
    spooled = subprocess.run(["ls", "-A", str(pydd.config.root)], capture_output=True, text=True, check=True).stdout
    assert "tmp" not in spooled


@pytest.mark.parametrize("verb", [("kill",), ("stop", "-t", "1"), ("rm", "-f")])
def test_a_container_with_clients_that_read_nothing_can_be_stopped(docker: Docker, busybox: str, verb: tuple[str, ...]):
    """At 590e172 the container stops, conmon waits for its clients, the engine for conmon; Docker Engine does too."""
    script = "trap '' TERM; seq 1 300000; while :; do sleep 1; done"
    name = docker.create("endless", busybox, "sh", "-c", script, options=("--network", "none"))
    with ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(connected(docker))
            client.sendall(request("POST", f"/containers/{name}/attach?stream=1&stdout=1"))
            head(client)
        docker("start", name)
        wait_until(lambda: docker("logs", "--tail", "1", name) == "300000")
        subprocess.run(["docker", "-H", docker.host, *verb, name], check=True, capture_output=True, timeout=60)
    if verb[0] != "rm":
        assert docker("inspect", "-f", "{{.State.ExitCode}}", name) == "137"
        docker("rm", name)


def test_the_log_of_a_container_that_prints_faster_than_it_is_read_has_an_end(docker: Docker, busybox: str):
    """At 590e172 `docker logs` runs for as long as the container does."""
    name = docker.run("fast", busybox, "yes", options=LONE)
    wait_until(lambda: docker.inspect(name)["State"]["Running"])
    command = ["docker", "-H", docker.host, "logs", "--tail", "5", name]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    finally:
        docker("rm", "-f", name)
    assert set(done.stdout.split()) <= {b"y"}


def test_a_container_has_ended_for_inspect_when_its_output_has(both: Docker, box: str):
    """At 590e172 it still runs then, 25 times of 25."""
    for number in range(5):
        name = both.name(f"ended{number}")
        with connected(both) as client:
            both.create(f"ended{number}", box, "sh", "-c", "echo out; exit 7")
            client.sendall(request("POST", f"/containers/{name}/attach?stream=1&stdout=1", upgrade=True))
            head(client)
            both("start", name)
            assert unframed(rest(client)) == b"out\n"
            state = both.inspect(name)["State"]
        assert (state["Status"], state["Running"], state["ExitCode"]) == ("exited", False, 7)


def test_a_container_listens_again_after_its_client_has_left_by_the_keys(both: Docker, box: str):
    """At 590e172 conmon closes its input when the client of `run -it` leaves."""
    name = both.name("left")
    with Typist(both, "run", "-it", "--name", name, *LONE, "--label", f"pyd.test={both.prefix}", box, "sh") as typist:
        typist.until(b"# ")
        typist.type(b"echo a$((1+1))b\n")
        typist.until(b"a2b")
        typist.type(KEYS)
        assert typist.end() == 0
    with Typist(both, "attach", name) as typist:
        typist.type(b"\necho c$((1+2))d\n")
        typist.until(b"c3d")
        typist.type(KEYS)
        typist.end()
    assert both.inspect(name)["State"]["Running"]


def test_a_command_continues_after_its_client_has_detached_by_the_keys(both: Docker, box: str):
    """Also where it is a shell that does something in the background of nobody's terminal."""
    name = both.run("holding", box, "sleep", "1000", options=LONE)
    with Typist(both, "exec", "-it", name, "sh") as typist:
        typist.until(b"# ")
        typist.type(b"echo e$((1+4))f; while :; do sleep 0.1; touch /tmp/on; done\n")
        typist.until(b"e5f")
        typist.type(KEYS)
        typist.end()
    both("exec", name, "rm", "-f", "/tmp/on")
    wait_until(lambda: both("exec", name, "ls", "/tmp") == "on")


def test_a_command_keeps_printing_after_its_client_is_gone(both: Docker, box: str):
    """At 590e172 its pipe has no reader any more: it blocks on the pipe, or is killed by SIGPIPE."""
    name = both.run("talking", box, "sleep", "1000", options=LONE)
    script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; seq 1 300000 && touch /tmp/over"
    with connected(both) as client:
        body = {"Cmd": ["sh", "-c", script], "AttachStdout": True}
        client.sendall(request("POST", f"/containers/{name}/exec", body))
        head(client)
        key = json.loads(client.recv(4096))["Id"]
        client.sendall(request("POST", f"/exec/{key}/start", {}, upgrade=True))
        head(client)
        assert client.recv(64)
    both("exec", name, "touch", "/tmp/go")
    wait_until(lambda: "over" in both("exec", name, "ls", "/tmp"))


def test_a_slow_client_gets_all_that_a_command_has_printed(both: Docker, box: str):
    """At 590e172 what is in the pipe two seconds after the command's end is lost."""
    name = both.run("slow", box, "sleep", "1000", options=LONE)
    with connected(both) as client, connected(both) as other:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = {"Cmd": ["seq", "1", "52000"], "AttachStdout": True}
        client.sendall(request("POST", f"/containers/{name}/exec", body))
        head(client)
        key = json.loads(client.recv(4096))["Id"]
        client.sendall(request("POST", f"/exec/{key}/start", {}, upgrade=True))
        head(client)
        time.sleep(execs.DRAIN_TIMEOUT_S + 1)  # as a pager does; nothing tells that the engine has lost patience
        del other
        assert unframed(rest(client)).split()[-1] == b"52000"


def test_the_recorder_is_not_seen_among_the_clients(both: Docker, box: str):
    """At 590e172 each container's events have one more `attach`: the recorder's."""
    since = str(time.time())
    name = both.run("alone", box, "true", options=LONE)
    waited(both, name)
    both("rm", name)
    command = ["docker", "-H", both.host, "events", "--since", since, "--until", str(time.time() + 0.5)]
    command += ["--filter", f"container={name}", "--format", "{{.Action}}"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert seen[:2] == ["create", "start"]
    assert "attach" not in seen


def test_a_terminal_has_its_creators_size_from_the_first_moment(both: Docker, box: str):
    """At 590e172 `ConsoleSize` is ignored for the main process."""
    name = both.name("sized")
    body = {
        "Image": box,
        "Cmd": ["stty", "size"],
        "Tty": True,
        "Labels": {"pyd.test": both.prefix},
        "HostConfig": {"ConsoleSize": [57, 123], "NetworkMode": "none"},
    }
    with connected(both) as client:
        client.sendall(request("POST", f"/containers/create?name={name}", body))
        assert b" 201 " in head(client)
    both("start", name)
    assert waited(both, name) == 0
    assert both("logs", name) == "57 123"


@pytest.mark.parametrize(
    "case",
    [
        ("always", "", "TERM", False),
        ("always", "", "INT", False),
        ("unless-stopped", "", "TERM", False),
        ("always", "TERM", "TERM", False),
        ("always", "TERM", "INT", True),
        ("unless-stopped", "TERM", "INT", False),
    ],
)
def test_a_container_that_ends_by_its_stop_signal_stays_ended(both: Docker, box: str, case: tuple[str, str, str, bool]):
    """At 590e172 a restart policy starts it again, whatever the signal; a case is policy, stop signal, sent, again."""
    policy, own, sent, again = case
    options = ("--network", "none", "--restart", policy, *(("--stop-signal", own) if own else ()))
    script = "trap 'exit 3' TERM INT; echo ready; while :; do sleep 0.1; done"
    name = both.run("signalled", box, "sh", "-c", script, options=options)
    wait_until(lambda: both("logs", name) == "ready")
    both("kill", "-s", sent, name)
    if again:
        wait_until(lambda: both("logs", name) == "ready\nready")
    else:
        wait_until(lambda: both("inspect", "-f", "{{.State.Status}}", name) == "exited")
        state = both.inspect(name)
        assert (state["State"]["ExitCode"], state["RestartCount"]) == (3, 0)
    both("rm", "-f", name)
