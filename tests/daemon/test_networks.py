"""Networks: addresses, names, published ports, isolation."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from support.docker import Docker

SERVER = "mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def network(docker: Docker) -> Iterator[str]:
    name = docker.name("net")
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


def wait_for_server(docker: Docker, name: str) -> None:
    docker("exec", name, "sh", "-c", "until wget -q -O- http://127.0.0.1/ >/dev/null 2>&1; do :; done")


def test_containers_find_each_other_by_name_and_alias(docker: Docker, busybox: str, network: str):
    server = docker.run("web", busybox, "sh", "-c", SERVER, options=("--network", network, "--network-alias", "www"))
    wait_for_server(docker, server)
    for name in (server, "www"):
        assert docker("run", "--rm", "--network", network, busybox, "wget", "-qO-", f"http://{name}/") == "hello"
    docker("rm", "-f", server)


def test_a_published_port_is_reached_by_every_address_of_the_host(docker: Docker, busybox: str):
    port = free_port()
    server = docker.run("pub", busybox, "sh", "-c", SERVER, options=("-p", f"{port}:80"))
    wait_for_server(docker, server)
    gateway = docker.inspect(server)["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
    for address in ("127.0.0.1", gateway):
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
            assert answer.read() == b"hello\n"
    assert docker("port", server) == f"80/tcp -> 0.0.0.0:{port}"
    assert docker("exec", server, "wget", "-qO-", f"http://{gateway}:{port}/") == "hello"  # its own, over the host
    docker("rm", "-f", server)


def test_a_taken_port_is_said_to_be_taken(docker: Docker, busybox: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        name = docker.create("late", busybox, options=("-p", f"127.0.0.1:{port}:80"))
        done = subprocess.run(["docker", "-H", docker.host, "start", name], capture_output=True, check=False)
    assert b"port is already allocated" in done.stderr
    docker("rm", name)


def test_networks_are_apart_until_connected(docker: Docker, busybox: str, network: str):
    server = docker.run("apart", busybox, "sh", "-c", SERVER, options=("--network", network))
    wait_for_server(docker, server)
    address = docker.inspect(server)["NetworkSettings"]["Networks"][network]["IPAddress"]
    client = docker.run("client", busybox, "sleep", "1000")
    tried = ("wget", "-T", "1", "-qO-", f"http://{address}/")
    asked = ["docker", "-H", docker.host, "exec", client, *tried]
    assert subprocess.run(asked, capture_output=True, check=False).returncode != 0
    docker("network", "connect", network, client)
    assert docker("exec", client, *tried) == "hello"
    docker("network", "disconnect", network, client)
    assert subprocess.run(asked, capture_output=True, check=False).returncode != 0
    docker("rm", "-f", server, client)


def test_addresses_can_be_chosen_where_the_subnet_was(docker: Docker, busybox: str):
    name = docker.name("chosen")
    docker("network", "create", "--subnet", "10.249.77.0/24", "--gateway", "10.249.77.9", name)
    shown = json.loads(docker("network", "inspect", name))[0]["IPAM"]["Config"][0]
    assert (shown["Subnet"], shown["Gateway"]) == ("10.249.77.0/24", "10.249.77.9")
    options = ("--rm", "--network", name, "--ip", "10.249.77.50")
    assert "10.249.77.50/24" in docker("run", *options, busybox, "ip", "addr", "show", "eth0")
    docker("network", "rm", name)


def test_the_network_of_another_container_can_be_shared(docker: Docker, busybox: str):
    first = docker.run("first", busybox, "sh", "-c", SERVER)
    wait_for_server(docker, first)
    shared = docker("run", "--rm", "--network", f"container:{first}", busybox, "wget", "-qO-", "http://127.0.0.1/")
    assert shared == "hello"
    docker("rm", "-f", first)


def test_a_network_in_use_stays(docker: Docker, busybox: str, network: str):
    name = docker.run("on", busybox, "sleep", "1000", options=("--network", network))
    refused = subprocess.run(["docker", "-H", docker.host, "network", "rm", network], capture_output=True, check=False)
    assert b"has active endpoints" in refused.stderr
    docker("rm", "-f", name)
