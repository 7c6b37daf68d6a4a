"""Events, which are the same on Docker Engine and on pydd."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from support.docker import LABEL, LONE, Docker, busybox_files
from support.registry import Registry

Event = dict[str, Any]

EVENT_TIMEOUT_S = 120
"""How long a test waits for its events, before it reports those it saw."""


class Listener:
    """The events of one test's objects, as `docker events` prints them."""

    def __init__(self, docker: Docker, lines: Iterator[bytes]) -> None:
        self._docker = docker
        self._lines = lines
        self.ours: set[str] = set()
        """Ids of this test's objects, which are recognised in addition to names with the prefix."""

    def until(self, *expected: str) -> list[Event]:
        """Read events until one with this type and action, and return this test's."""
        seen: list[Event] = []
        events: list[Event] = []
        for line in self._lines:
            seen.append(json.loads(line))
            if any(mark in line.decode() for mark in {self._docker.prefix, *self.ours}):
                events.append(seen[-1])
                if (seen[-1]["Type"], seen[-1]["Action"]) == expected:
                    return events
        recent = self._docker("events", "--since", "2m", "--until", "0s", "--format", "{{json .}}")
        raise AssertionError(f"no {expected} in {shown(seen)} at {time.time()}; the engine's last events: {recent}")


@contextmanager
def listening(docker: Docker) -> Iterator[Listener]:
    """Listen from now on; by `--since` it would depend on a clock that may be set back."""
    command = ["docker", "-H", docker.host, "events", "--format", "{{json .}}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        bound = threading.Timer(EVENT_TIMEOUT_S, process.terminate)
        bound.start()
        try:
            wait_until_heard(docker, process.stdout)
            yield Listener(docker, iter(process.stdout))
        finally:
            bound.cancel()
            process.terminate()


def wait_until_heard(docker: Docker, stream: IO[bytes]) -> None:
    """Make events until the stream has one: no client reports that its engine sends it events."""
    marker = f"pydt-heard-{uuid.uuid4().hex}"
    with client_of(docker) as client:
        while not select.select([stream], [], [], 0.2)[0]:
            client.post("/volumes/create", json={"Name": marker}).raise_for_status()
            client.delete(f"/volumes/{marker}").raise_for_status()


def client_of(docker: Docker) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=docker.host.removeprefix("unix://"))
    return httpx.Client(transport=transport, base_url="http://engine", timeout=60)


@contextmanager
def leaving(docker: Docker, request: str) -> Iterator[None]:
    """Send a request over a connection of its own, and the keys to leave once it is upgraded."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(docker.host.removeprefix("unix://"))
        connection.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        connection.sendall(b"\x10\x11")
        yield


def shown(events: list[Event]) -> list[str]:
    return [f"{event['Type']} {event['Action'].strip()}" for event in events]


def attributes(events: list[Event], kind: str, action: str) -> dict[str, str]:
    values: dict[str, str] = next(
        event["Actor"]["Attributes"] for event in events if (event["Type"], event["Action"]) == (kind, action)
    )
    return values


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("events", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def test_each_step_of_a_containers_life_has_an_event_and_so_have_its_network_and_volume(both: Docker, image: str):
    network, volume, name = both.name("events-net"), both.name("events-data"), both.name("events-life")
    label = ("--label", f"{LABEL}={both.prefix}")
    with listening(both) as listener:
        listener.ours.add(both("network", "create", *label, network))
        both("volume", "create", *label, volume)
        both("run", "--name", name, *label, "--network", network, "-v", f"{volume}:/data:ro", image, "true")
        key = both.inspect(name)["Id"]
        both("rm", name)
        events = listener.until("container", "destroy")
    assert shown(events) == [
        "network create",
        "volume create",
        "container create",
        "container attach",
        "network connect",
        "volume mount",
        "container start",
        "network disconnect",
        "volume unmount",
        "container die",
        "container destroy",
    ]
    assert attributes(events, "volume", "mount") == {
        "container": key,
        "destination": "/data",
        "driver": "local",
        "propagation": "",
        "read/write": "false",
    }
    assert attributes(events, "volume", "unmount") == {"container": key, "driver": "local"}
    assert attributes(events, "network", "connect") == {"container": key, "name": network, "type": "bridge"}


def test_actions_on_a_running_container_have_events(both: Docker, image: str, tmp_path: Path):
    reference = f"{both.name('events-made')}:1"
    file = tmp_path / "file"
    file.write_text("contents")
    with listening(both) as listener, client_of(both) as client:
        name = both.run("events-busy", image, "sleep", "1000", options=("-t", *LONE))
        key = both.inspect(name)["Id"]
        listener.ours.add(key)
        both("top", name)
        client.post(f"/containers/{name}/resize", params={"h": 10, "w": 20}).raise_for_status()
        both("cp", f"{name}:/etc", str(tmp_path / "etc"))
        both("cp", str(file), f"{name}:/tmp")
        both("export", "-o", str(tmp_path / "all.tar"), name)
        both("exec", name, "echo", "a", "b")
        events = listener.until("container", "exec_die")
        both("commit", "-m", "why", name, reference)
        both("rename", name, f"{name}2")
        both("rm", "-f", key)
        events += listener.until("container", "destroy")
    assert shown(events) == [
        "container create",
        "network connect",
        "container start",
        "container top",
        "container resize",
        "container archive-path",
        "container extract-to-dir",
        "container export",
        "container exec_create: echo a b",
        "container exec_start: echo a b",
        "container exec_die",
        "container pause",
        "image tag",
        "container commit",
        "container unpause",
        "container rename",
        "container kill",
        "network disconnect",
        "container die",
        "container destroy",
    ]
    resized = attributes(events, "container", "resize")
    assert (resized["height"], resized["width"]) == ("10", "20")
    assert attributes(events, "image", "tag") == {"name": reference, LABEL: both.prefix}
    committed = attributes(events, "container", "commit")
    assert committed["imageID"] == both("image", "inspect", "-f", "{{.Id}}", reference)
    assert (committed["imageRef"], committed["comment"]) == (reference, "why")


def test_events_of_images_carry_their_ids_and_labels(both: Docker, tmp_path: Path):
    second, archive = f"{both.name('events-second')}:2", tmp_path / "image.tar"
    with listening(both) as listener:
        first = both.image("events-first", busybox_files(), 'CMD ["/bin/sh"]')
        key = both("image", "inspect", "-f", "{{.Id}}", first)
        listener.ours.add(key)
        both("tag", first, second)
        both("save", "-o", str(archive), first, second)
        both("rmi", second)
        both("load", "-i", str(archive))
        both("rmi", second)
        both("rmi", first)
        events = listener.until("image", "delete")
    steps = ["tag", "import", "tag", "save", "untag", "load", "untag", "untag", "delete"]
    assert shown(events) == [f"image {step}" for step in steps]
    assert {event["Actor"]["ID"] for event in events} == {key}
    names = [event["Actor"]["Attributes"]["name"] for event in events]
    assert names == [first, key, second, *[key] * 6]
    labels = [event["Actor"]["Attributes"].get(LABEL) for event in events]
    assert labels == [*[both.prefix] * 8, None]  # the last is gone


def test_events_of_a_push_and_a_pull_carry_the_name(both: Docker, image: str, tmp_path: Path):
    with Registry.started(tmp_path) as registry, listening(both) as listener:
        name = f"{registry.address}/{both.prefix}/events"
        both("tag", image, f"{name}:1")
        both("push", f"{name}:1")
        both("rmi", f"{name}:1")
        both("pull", f"{name}:1")
        events = listener.until("image", "pull")
        both("rmi", f"{name}:1")
    assert shown(events) == ["image tag", "image push", "image untag", "image pull"]
    for action in ("push", "pull"):
        assert attributes(events, "image", action) == {"name": name, LABEL: both.prefix}
    assert events[-1]["Actor"]["ID"] == f"{name}:1"


def test_detaching_by_the_keys_has_an_event(both: Docker, image: str):
    name = both.run("events-left", image, "sh", options=("-it", *LONE))
    with listening(both) as listener:
        listener.ours.add(both.inspect(name)["Id"])
        request = f"POST /containers/{name}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: engine\r\n"
        with leaving(both, f"{request}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"):
            events = listener.until("container", "detach")
    assert shown(events) == ["container attach", "container detach"]
    both("rm", "-f", name)


@pytest.mark.parametrize(
    ("kind", "arguments"), [("container", ()), ("network", ()), ("volume", ("--all",)), ("image", ())]
)
def test_a_prune_has_an_event_with_the_bytes_it_freed(both: Docker, image: str, kind: str, arguments: tuple[str, ...]):
    mine = f"{LABEL}={both.prefix}-{kind}"
    match kind:
        case "container":
            both.create("events-pruned", image, "true", options=(*LONE, "--label", "x"))
            mine = f"{LABEL}={both.prefix}"
        case "image":
            both("import", "-c", f"LABEL {mine}", "-", stdin=b"\0" * 1024)
        case _:
            both(kind, "create", "--label", mine, both.name("events-pruned"))
    with listening(both) as listener:
        listener.ours.add('"Action":"prune"')
        both(kind, "prune", "-f", *arguments, "--filter", f"label={mine}")
        events = listener.until(kind, "prune")
    assert attributes(events, kind, "prune").keys() == {"reclaimed"}
    assert attributes(events, kind, "prune")["reclaimed"].isdecimal()
    assert events[-1]["Actor"]["ID"] == ""


def test_a_prune_of_the_build_cache_has_an_event(docker: Docker):
    docker("builder", "prune", "-af")  # removes what other tests have built
    with listening(docker) as listener:
        listener.ours.add('"Action":"prune"')
        docker("builder", "prune", "-f")
        events = listener.until("builder", "prune")
    assert attributes(events, "builder", "prune") == {"reclaimed": "0"}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("ps --filter health=bad", "unrecognized filter value for health: bad"),
        ("ps --filter health=healthy --filter health=bad", "unrecognized filter value for health: bad"),
        ("ps --filter status=bad", "invalid filter 'status=bad'"),
        ("ps --filter is-task=maybe", "invalid filter 'is-task=[maybe]'"),
        ("images --filter dangling=maybe", "invalid filter 'dangling=[maybe]'"),
        ("images --filter dangling=TRUE", "invalid filter 'dangling=[TRUE]'"),
        ("volume ls --filter dangling=maybe", "invalid filter 'dangling=[maybe]'"),
        ("network ls --filter dangling=maybe", 'invalid value for filter \'dangling\', must be "true" (or "1")'),
        ("network ls --filter type=bad", "invalid filter: 'type'='bad'"),
        ("container prune -f --filter until=bad", 'failed to parse value as time or duration: "bad"'),
        ("image prune -f --filter until=bad", 'failed to parse value as time or duration: "bad"'),
        ("network prune -f --filter until=bad", 'failed to parse value as time or duration: "bad"'),
        ("container prune -f --filter until=1h --filter until=2h", "more than one until filter specified"),
        ("volume prune -f --filter all=maybe", "invalid filter 'all'"),
        ("builder prune -f --filter until=bad", 'failed to parse value as time or duration: "bad"'),
    ],
)
def test_a_filter_refuses_what_it_cannot_be(both: Docker, command: str, why: str):
    words = command.split()
    if "prune" in words and "builder" not in words:  # should it be taken, nothing of others is in danger
        words += ["--filter", f"label={LABEL}={both.prefix}-none"]
    done = subprocess.run(["docker", "-H", both.host, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert why in done.stderr


def test_events_up_to_a_time_need_no_beginning(both: Docker, image: str):
    """On version 0.1 `--until` without `--since` showed nothing of what had happened."""
    name = both.create("past", image, options=LONE)
    both("rm", name)
    until = f"{time.time() + 1:.9f}"
    actions = both("events", "--until", until, "--filter", f"container={name}", "--format", "{{.Action}}").split()
    assert actions == ["create", "destroy"]


def test_events_do_not_end_before_they_begin(both: Docker):
    with pytest.raises(AssertionError) as refused:
        both("events", "--since", "2000", "--until", "1000")
    assert "`since` time (2000) cannot be after `until` time (1000)" in str(refused.value)


def test_events_of_a_container_are_its_own(both: Docker, image: str):
    """Version 0.1 let those of networks it joined pass too."""
    name = both.run("own", image, "true", options=("--stop-signal", "KILL"))
    both("wait", name)
    both("rm", name)
    until = f"{time.time() + 1:.9f}"
    for value in (name, name[:-1]):
        printed = both(
            "events", "--until", until, "--filter", f"container={value}", "--format", "{{.Type}} {{.Action}}"
        )
        assert [line for line in printed.splitlines() if "attach" not in line] == [
            "container create", "container start", "container die", "container destroy",
        ]  # fmt: skip


def test_a_process_that_takes_too_much_memory_is_reported_at_once(both: Docker):
    """The container keeps running, because another of its processes was killed."""
    image = both.image("hungry", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))
    script = "(x=a; while true; do x=$x$x$x$x; done); sleep 1000"
    with listening(both) as events:
        name = both.run("hungry", image, "sh", "-c", script, options=(*LONE, "-m", "40m"))
        received = events.until("container", "oom")
        assert received[-1]["Actor"]["Attributes"]["name"] == name
        state = both.inspect(name)["State"]
        assert (state["Running"], state["OOMKilled"]) == (True, True)
        both("kill", name)
        rest = events.until("container", "die")
    assert not [event for event in rest if event["Action"] == "oom"]
    both("rm", name)
