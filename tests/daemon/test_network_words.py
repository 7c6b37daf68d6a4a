"""Network options that contradict each other, refused in the same words and with the same status on both engines."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from support.docker import QUICK, Docker, busybox_files

SHARED = "container sharing network namespace with another container or host cannot be connected to any other network"
WITHOUT = "container cannot be connected to multiple networks with one of the networks in private (none) mode"
OF_HOST = "container cannot be disconnected from host network or connected to host network"
OWN_SUBNET = "user specified IP address is supported only when connecting to networks with user configured subnets"
USERS_ONLY = "user specified IP address is supported on user defined networks only"


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    """A busybox on either engine."""
    return both.image("words", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture(scope="module")
def there(both: Docker, image: str) -> Iterator[dict[str, str]]:
    """Containers and networks by what they are."""
    networks = [both.name(short) for short in ("net", "unused")]
    for network in networks:
        both("network", "create", network)
    net, unused = networks
    names = {"net": net, "unused": unused}
    names["running"] = both.run("running", image, "sleep", "1000", options=QUICK)
    for name, mode, run in (
        ("on-net", net, False),
        ("on-host", "host", False),
        ("on-none", "none", False),
        ("runs-on-host", "host", True),
        ("sharing", f"container:{names['running']}", True),
        ("stopped", "bridge", False),
    ):
        make = both.run if run else both.create
        names[name] = make(name, image, "sleep", "1000", options=("--network", mode, *QUICK))
    yield names
    both("rm", "-f", *(names[key] for key in names if key not in {"net", "unused"}))
    both("network", "rm", *networks)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("network connect {net} {on-host}", SHARED),
        ("network connect bridge {on-host}", SHARED),
        ("network connect {net} {runs-on-host}", SHARED),
        ("network connect {net} {sharing}", SHARED),
        ("network connect host {on-net}", OF_HOST),
        ("network connect host {running}", OF_HOST),
        ("network disconnect host {runs-on-host}", OF_HOST),
        ("network connect none {running}", WITHOUT),
        ("network connect {net} {on-none}", WITHOUT),
        ("network disconnect {unused} {running}", "is not connected to network {unused}"),
        ("network disconnect {unused} {on-net}", "is not connected to the network {unused}"),
        ("network connect --ip 10.1.2.3 {net} {running}", f"invalid endpoint settings:\n{OWN_SUBNET}"),
        (
            "network connect --ip 10.1.2.3 bridge {on-net}",
            f"invalid endpoint settings:\n* {USERS_ONLY}\n* ",  # the rest depends on the age of the bridge
        ),
        ("network connect --ip x {net} {running}", "* invalid IPv4 address: x"),
        ("network connect --alias x bridge {on-net}", "network-scoped alias is supported only for containers in user"),
        (
            "run --rm --network host --ip 1.2.3.4 IMAGE true",
            "invalid config for network host: invalid endpoint settings:",
        ),
        ("run --rm --network {net} --ip 1.2.3.4 IMAGE true", OWN_SUBNET),
        ("run --rm --network container:nosuch IMAGE true", "No such container: nosuch"),
        ("run --rm --name {net}-me --network container:{net}-me IMAGE true", "cannot join own network"),
        ("run --rm --network container IMAGE true", "invalid container format container:<name|id>"),
        ("run --rm --network container:{stopped} IMAGE true", "cannot join network of a non running container"),
        ("run --rm --pid container:{stopped} IMAGE true", "failed to join PID namespace: container ID is not running"),
        ("run --rm --ipc container:{stopped} IMAGE true", "failed to join IPC namespace: container ID is not running"),
        (
            "run --rm --ipc container:{running} IMAGE true",
            "container ID: non-shareable IPC (hint: use IpcMode:shareable",
        ),
        ("network create -d nosuch {net}-x", 'plugin "nosuch" not found'),
        ("network create bridge", "operation is not permitted on predefined bridge network"),
        ("network rm bridge", "bridge is a pre-defined network and cannot be removed"),
    ],
)
def test_it_is_refused_in_these_words(both: Docker, image: str, there: dict[str, str], command: str, words: str):
    words = words.format(**there)
    arguments = [argument.format(**there).replace("IMAGE", image) for argument in command.split()]
    done = subprocess.run(["docker", "-H", both.host, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in re.sub("[0-9a-f]{64}", "ID", done.stderr)


def request(docker: Docker, method: str, path: str, body: object = None) -> tuple[int, Any]:
    command = ["curl", "-s", "-X", method, "-w", "\n%{http_code}", "--unix-socket", docker.host.removeprefix("unix://")]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
    text, _, status = subprocess.check_output([*command, f"http://d{path}"], text=True).rpartition("\n")
    return int(status), json.loads(text) if text.strip() else None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1.45/networks/create", {"Name": "host", "Driver": "host"}, 403),
        ("/v1.45/networks/create", {"Name": "default"}, 403),
        ("/v1.45/networks/create", {"Name": "another", "Driver": "null"}, 403),
        ("/v1.45/networks/create", {"Name": " "}, 400),
        ("/v1.45/networks/{net}/connect", {}, 400),
        ("/v1.45/networks/{net}/disconnect", {}, 400),
        ("/v1.45/networks/{net}/connect", {"Container": "{runs-on-host}"}, 400),
        ("/v1.45/networks/{unused}/disconnect", {"Container": "{running}"}, 500),
    ],
)
def test_a_request_that_makes_no_sense_has_this_status(
    both: Docker, there: dict[str, str], path: str, body: dict[str, str], status: int
):
    sent = {key: value.format(**there) for key, value in body.items()}
    assert request(both, "POST", path.format(**there), sent)[0] == status


def test_the_list_has_a_second_path(both: Docker):
    assert request(both, "GET", "/v1.45/networks/")[0] == 200


def test_older_clients_get_their_defaults(both: Docker, image: str, there: dict[str, str]):
    endpoints: dict[str, Any] = {"EndpointsConfig": {there["net"]: {}, there["unused"]: {}}}
    body = {"Image": image, "NetworkingConfig": endpoints, "HostConfig": {"NetworkMode": there["net"]}}
    status, answer = request(both, "POST", "/v1.43/containers/create", body)
    assert status == 400
    assert "Container cannot be created with multiple network endpoints" in answer["message"]
    for version, mode in (("1.39", "shareable"), ("1.40", "private")):
        _, container = request(both, "POST", f"/v{version}/containers/create", {"Image": image})
        assert both.inspect(container["Id"])["HostConfig"]["IpcMode"] == mode
        both("rm", container["Id"])
