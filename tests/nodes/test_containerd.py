from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.node_client import NodeClient
from support.node.containerd import IMAGE, Containerd
from support.pyd import Run


def test_containers_of_other_clients_are_listed_entered_and_followed(node: Containerd, pyd_on: Callable[[str], Run]):
    pyd = pyd_on("default")
    node.ctr("run", "-d", "--null-io", IMAGE, "plain", "sh", "-c", "exec sleep 1000")
    (entry,) = json.loads(pyd("ps", "--json").stdout)
    assert (entry["name"], entry["image"], entry["state"]) == ("plain", IMAGE, "running")
    assert pyd("exec", "plain", "sh", "-c", "echo $COLOUR").stdout == "green\n"
    assert pyd("debug", "plain", "-c", "cat /proc/1/comm").stdout == "sleep\n"
    done = pyd("logs", "plain")
    assert (done.returncode, "this container's output isn't stored" in done.stderr) == (1, True)
    assert pyd_on("moby")("ps", "--json").stdout.strip() == "[]"


def test_pods_are_seen_without_their_sandboxes(node: Containerd, pyd_on: Callable[[str], Run]):
    node.container(node.pod("web"), "web", "app", ["sleep", "1000"])
    entries = json.loads(pyd_on("k8s.io")("ps", "-a", "--json").stdout)
    assert [entry["name"] for entry in entries] == ["shop/web/app"]


def test_a_pods_container_that_has_ended_says_so(node: Containerd, pyd_on: Callable[[str], Run]):
    """The CRI removes the task with the process, so that containerd itself knows the container only."""
    pyd = pyd_on("k8s.io")
    sandbox = node.pod("bad")
    node.container(sandbox, "bad", "app", ["sh", "-c", "echo why; exit 3"])
    node.container(sandbox, "bad", "side", ["sleep", "1000"])
    for _ in range(200):
        states = {entry["name"]: entry for entry in json.loads(pyd("ps", "-a", "--json").stdout)}
        if states["shop/bad/app"]["state"] != "running":
            break
    assert (states["shop/bad/app"]["state"], states["shop/bad/app"]["exit_code"]) == ("exited", 3)
    assert states["shop/bad/side"]["state"] == "running"
    (inspected,) = json.loads(pyd("inspect", "shop/bad/app").stdout)
    assert inspected["State"]["ExitCode"] == 3
    assert inspected["State"]["FinishedAt"]
    assert pyd("logs", "shop/bad/app").stdout == "why\n"


def test_events_name_starts_and_deaths(node: Containerd, pyd_on: Callable[[str], Run]):
    async def actions() -> list[str]:
        async with (
            NodeClient(Endpoint(url=f"containerd://{node.socket}")) as client,
            asyncio.timeout(60),
            client.system.events() as events,
        ):
            await asyncio.to_thread(
                node.ctr, "run", "--rm", "--null-io", IMAGE, "short", "sh", "-c", "exit 4", check=False
            )
            seen: list[str] = []
            async for event in events:
                assert event.name == "short"
                seen.append(event.action if event.exit_code is None else f"{event.action} {event.exit_code}")
                if event.action == "destroy":
                    return seen
        raise AssertionError("the events ended")

    assert asyncio.run(actions()) == ["create", "start", "die 4", "destroy"]
    past = pyd_on("default")("events", "--since", "1h", "--until", "0s")
    assert past.returncode == 0


def test_a_name_with_control_characters_stays_harmless(node: Containerd, pyd_on: Callable[[str], Run]):
    node.ctr("run", "-d", "--null-io", "--label", "nerdctl/name=\x1b[2Jboo", IMAGE, "odd", "sleep", "1000")
    shown = pyd_on("default")("ps").stdout
    assert "\x1b" not in shown
    assert "boo" in shown


def test_a_socket_that_isnt_there_is_one_line(pyd_path: object, pyd_on: Callable[[str], Run], node: Containerd):
    pyd = pyd_on("default")
    pyd.env["DOCKER_HOST"] = f"containerd://{node.directory}/nothing.sock"
    done = pyd("ps")
    assert (done.returncode, len(done.stderr.splitlines())) == (125, 2)
    for address in ("cri://host/x", "containerd:///x?namespace=../..", "containerd:///x?what=1", "cri:///"):
        pyd.env["DOCKER_HOST"] = address
        assert pyd("ps").returncode == 2, address
