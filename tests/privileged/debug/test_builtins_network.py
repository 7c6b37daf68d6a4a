"""Builtins that look into the network: names, ways, forwards and captures, on real networks."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from support.debugging import Builtins, Run, command, sessions_left
from support.docker import LABEL, LONE, QUICK, Docker
from support.staging import wait_until

SERVER = "mkdir /www; echo welcome > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; exec httpd -f -p 80 -h /www"


@pytest.fixture(scope="module")
def network(docker: Docker) -> str:
    """A network of this module's own, on which the engine tells names."""
    name = docker.name("net")
    docker("network", "create", "--label", f"{LABEL}={docker.prefix}", name)
    return name


@pytest.fixture(scope="module")
def web(debug: Run, docker: Docker, busybox: str, network: str) -> Builtins:
    """A server: on port 80 for all, and on 8080 for itself."""
    options = (*QUICK, "--network", network, "--network-alias", "web")
    return Builtins(debug, docker.run("web", busybox, "sh", "-c", SERVER, options=options))


@pytest.fixture(scope="module")
def client(debug: Run, docker: Docker, distroless: str, network: str) -> Builtins:
    """A container without tools on the same network."""
    return Builtins(debug, docker.run("client", distroless, options=(*QUICK, "--network", network)))


@contextlib.contextmanager
def running(name: str, line: str) -> Iterator[subprocess.Popen[str]]:
    """A builtin that runs until it is interrupted."""
    process = subprocess.Popen(command(name, "-b", line), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def test_net_shows_the_containers_address_route_and_name_server(client: Builtins, docker: Docker, network: str):
    shown = client.json("net")
    own = docker.inspect(client.name)["NetworkSettings"]["Networks"][network]
    addresses = [address for row in shown["interfaces"] for address in row["addresses"]]
    assert f"{own['IPAddress']}/{own['IPPrefixLen']}" in addresses
    assert ("default", own["Gateway"]) in {(row["destination"], row["via"]) for row in shown["routes"]}
    assert shown["resolver"]["servers"] == ["127.0.0.11"]
    assert "127.0.0.11" in client("net").stdout


def test_dns_names_the_server_and_its_answer(client: Builtins, web: Builtins, docker: Docker, network: str):
    address = docker.inspect(web.name)["NetworkSettings"]["Networks"][network]["IPAddress"]
    first = client.json("dns web")[0]
    assert (first["source"], first["result"]) == ("127.0.0.11", "ok")
    assert first["records"][0]["value"] == address
    (hosts,) = client.json("dns localhost")
    assert hosts["source"] == "/etc/hosts"
    assert client("dns -s web x").returncode == 2
    (named,) = client.json(f"dns {address}")
    assert named["question"].endswith(".in-addr.arpa PTR")
    assert named["records"][0]["value"].startswith(web.name)


def test_reach_names_the_layer_that_fails(client: Builtins, web: Builtins):
    assert client.json("reach web:80")["failed"] == ""
    refused = client.json("reach web:8080", code=1)
    assert refused["failed"] == "refused"
    assert [step["layer"] for step in refused["steps"]] == ["dns", "connect"]
    assert web.json("reach localhost:8080")["failed"] == ""  # there it is its own
    assert client.json("reach --tls web:80", code=1)["failed"] == "tls"
    assert client("reach web").returncode == 2


def test_a_target_without_a_network_is_told_what_it_lacks(debug: Run, docker: Docker, distroless: str):
    lonely = Builtins(debug, docker.run("lonely", distroless, options=(*LONE, "--dns", "127.0.0.1")))
    unknown = lonely.json("reach no-such-host:80", code=1)
    assert unknown["failed"] == "dns"
    assert "127.0.0.1" in unknown["steps"][0]["text"]
    silent = lonely("dns no-such-host")
    assert silent.returncode == 1
    assert "connection refused" in silent.stdout
    assert "no name server answers" in silent.stderr
    assert lonely.json("reach 192.0.2.1:80", code=1)["failed"] == "route"
    assert lonely.json("net")["routes"] == []
    assert "no routes" in lonely("net").stdout


def test_forward_leads_to_what_listens_on_the_targets_own_loopback(web: Builtins):
    with running(web.name, "forward 0:8080 --json") as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        text = ""
        while not text.rstrip().endswith("}"):
            text += next(lines)
        port = json.loads(text)["local"]
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(partial(connection.recv, 65536), b""))
            assert answer.endswith(b"welcome\n")
        taken = web(f"forward {port}:8080")
        assert taken.returncode == 1
        assert "[port-taken]" in taken.stderr
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=120).close()


def test_pcap_sees_the_targets_traffic_and_not_a_neighbours(
    client: Builtins, web: Builtins, debug: Run, docker: Docker, tmp_path: Path
):
    there = docker.inspect(web.name)
    busybox, network = there["Config"]["Image"], there["HostConfig"]["NetworkMode"]
    fetch, options = ("wget", "-qO-", "http://web/from-the-neighbour"), (*QUICK, "--network", network)
    file = tmp_path / "client.pcap"
    with running(client.name, f"pcap -w {file} tcp") as process:
        assert process.stderr is not None
        _wait_for_capture(file)
        docker("wait", docker.run("neighbour", busybox, *fetch, options=options))
        assert debug(client.name, "--", "curl", "-s", "http://web/from-the-client").returncode == 0
        _wait_for_capture(file, b"from-the-client")
    data = file.read_bytes()
    assert b"from-the-client" in data
    assert b"from-the-neighbour" not in data
    assert "[file-exists]" in client(f"pcap -w {file}").stderr
    broken = client("pcap no such filter")
    assert broken.returncode == 1
    assert "syntax" in broken.stderr
    assert sessions_left() == []


def _wait_for_capture(file: Path, content: bytes = b"\xd4\xc3\xb2\xa1") -> None:
    """Wait until tcpdump has written the file's head, which it does when it starts to listen."""
    wait_until(lambda: file.exists() and content in file.read_bytes())
