"""Networks: addresses, names, published ports, isolation."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.page import SERVER, wait_for_server


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
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=60) as answer:
            assert answer.read() == b"hello\n"
    assert docker("port", server) == f"80/tcp -> 0.0.0.0:{port}"
    assert docker("exec", server, "wget", "-qO-", f"http://{gateway}:{port}/") == "hello"  # its own, over the host
    docker("rm", "-f", server)


def test_a_taken_port_is_said_to_be_taken_and_by_whom(docker: Docker, busybox: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        name = docker.create("late", busybox, options=("-p", f"127.0.0.1:{port}:80"))
        done = subprocess.run(["docker", "-H", docker.host, "start", name], capture_output=True, check=False)
    own = Path("/proc/self/comm").read_text().strip()
    assert f"port is already allocated by {own} (process {os.getpid()})" in done.stderr.decode()
    first = docker.run("early", busybox, "sleep", "1000", options=("-p", f"127.0.0.1:{port}:80"))
    done = subprocess.run(["docker", "-H", docker.host, "start", name], capture_output=True, check=False)
    assert f"port is already allocated by container {docker.inspect(first)['Id'][:12]}" in done.stderr.decode()
    docker("rm", "-f", name, first)


def _listens(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        return False
    return True


def test_a_port_is_free_once_its_program_has_ended_whatever_is_left_of_connections(both: Docker):
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as web servers do
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # who closes first keeps the port busy for a minute
            assert client.recv(1) == b""
    container = both.run(
        "after", image, "sleep", "1000", options=("-p", f"127.0.0.1:{port}:80", "--stop-signal", "KILL")
    )
    with socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert not _listens(late, port)  # it is the container's now
    both("rm", "-f", container)


def test_networks_are_apart_until_connected(docker: Docker, busybox: str, network: str):
    server = docker.run("apart", busybox, "sh", "-c", SERVER, options=("--network", network))
    wait_for_server(docker, server)
    address = docker.inspect(server)["NetworkSettings"]["Networks"][network]["IPAddress"]
    client = docker.run("client", busybox, "sleep", "1000")
    tried = ("wget", "-T", "1", "-qO-", f"http://{address}/")
    command = ["docker", "-H", docker.host, "exec", client, *tried]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    docker("network", "connect", network, client)
    assert docker("exec", client, *tried) == "hello"
    docker("network", "disconnect", network, client)
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
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


def test_ipv6_has_addresses_names_published_ports_and_is_removed_completely(docker: Docker, busybox: str):
    name = docker.name("six")
    docker("network", "create", "--ipv6", "--subnet", "fd00:77:1::/64", name)
    shown = json.loads(docker("network", "inspect", name))[0]
    assert shown["EnableIPv6"] is True
    assert [":" in config["Subnet"] for config in shown["IPAM"]["Config"]] == [False, True]
    port = free_port()
    options = ("--network", name, "--ip6", "fd00:77:1::50", "-p", f"{port}:80")
    server = docker.run("web6", busybox, "sh", "-c", SERVER, options=options)
    wait_for_server(docker, server)
    assert docker.inspect(server)["NetworkSettings"]["Networks"][name]["GlobalIPv6Address"] == "fd00:77:1::50"
    for address in ("[fd00:77:1::50]:80", f"[fd00:77:1::1]:{port}"):  # its own, and the host's
        with urllib.request.urlopen(f"http://{address}/", timeout=60) as answer:
            assert answer.read() == b"hello\n"
    expected = {f"80/tcp -> {host_ip}:{port}" for host_ip in ("0.0.0.0", "[::]")}  # noqa: S104
    assert set(docker("port", server).splitlines()) == expected
    client = docker("run", "--rm", "--network", name, busybox, "nslookup", "-type=AAAA", server)
    assert "fd00:77:1::50" in client
    docker("rm", "-f", server)
    refused = docker.create("no6", busybox, options=("-p", "[::1]:0:80"))
    done = subprocess.run(["docker", "-H", docker.host, "start", refused], capture_output=True, check=False)
    assert b"no IPv6 address" in done.stderr
    docker("rm", refused)
    docker("network", "rm", name)
    assert (
        "fd00:77:1" not in subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    )


def test_macvlan_puts_a_container_next_to_the_host_on_a_link(docker: Docker, busybox: str):
    near, far = f"mv{os.getpid()}a"[:15], f"mv{os.getpid()}b"[:15]
    subprocess.run(["ip", "link", "add", near, "type", "veth", "peer", "name", far], check=True)
    name = docker.name("mac")
    try:
        for link in (near, far):
            subprocess.run(["ip", "link", "set", link, "up"], check=True)
        docker("network", "create", "-d", "macvlan", "-o", f"parent={near}", "--subnet", "10.248.9.0/24", name)
        first = docker.run("mac1", busybox, "sleep", "1000", options=("--network", name, "--ip", "10.248.9.20"))
        assert docker("run", "--rm", "--network", name, busybox, "ping", "-c1", "-W5", "10.248.9.20").count("1 packets")
        assert "default via 10.248.9.1" in docker("exec", first, "ip", "route")
        docker("network", "connect", "bridge", first)
        docker("network", "disconnect", name, first)
        left = docker("exec", first, "ip", "-o", "link")
        assert ("eth0" in left, "eth1" in left) == (False, True)
        assert "default via" in docker("exec", first, "ip", "route")  # the other network's now
        docker("rm", "-f", first)
        docker("network", "rm", name)
        assert near in [link for _, link in socket.if_nameindex()]  # it isn't the engine's to remove
    finally:
        subprocess.run(["ip", "link", "del", near], check=False)


def test_a_linked_container_is_known_by_its_alias_wherever_it_moves(docker: Docker, busybox: str):
    told_of = ("-e", "WORD=a b", "--expose", "90/udp", "--expose", "80")
    server = docker.run("linked", busybox, "sh", "-c", SERVER, options=told_of)
    other = docker.create("between", busybox, "sleep", "1000")
    links = ("--link", f"{server}:data-base", "--link", f"{server}:db")
    client = docker.run("client", busybox, "sleep", "1000", options=links)
    wait_for_server(docker, server)
    assert docker("exec", client, "wget", "-qO-", "http://db/") == "hello"
    address = docker.inspect(server)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    variables = docker("exec", client, "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ").splitlines()
    assert {
        f"DATA_BASE_NAME=/{client}/data-base",
        "DB_ENV_WORD=a b",
        f"DB_PORT=tcp://{address}:80",
        f"DB_PORT_80_TCP_ADDR={address}",
        f"DB_PORT_90_UDP=udp://{address}:90",
        "DB_PORT_90_UDP_PROTO=udp",
    } <= set(variables)
    docker("stop", "-t", "0", server)
    docker("start", other)  # takes the address that came free
    docker("start", server)
    wait_for_server(docker, server)
    assert docker("exec", client, "wget", "-qO-", "http://db/") == "hello"
    docker("rm", "-f", server, other, client)
    done = subprocess.run(
        ["docker", "-H", docker.host, "create", "--link", "nosuch:x", busybox], capture_output=True, check=False
    )
    assert b"could not get container for nosuch" in done.stderr


def test_own_name_servers_keep_the_networks_names(docker: Docker, busybox: str, network: str):
    server = docker.run("named", busybox, "sleep", "1000", options=("--network", network))
    options = ("--rm", "--network", network, "--dns", "127.9.9.9", "--add-host", "outside:host-gateway")
    script = f"ping -c1 -W5 {server} && cat /etc/resolv.conf /etc/hosts"
    output = docker("run", *options, busybox, "sh", "-c", script)
    gateway = json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"][0]["Gateway"]
    assert f"nameserver {gateway}" in output
    assert f"{gateway}\toutside" in output
    docker("rm", "-f", server)


def test_names_that_would_be_written_into_packet_rules_are_refused(docker: Docker):
    for option in ('com.docker.network.bridge.name=x"; drop; "', "com.docker.network.bridge.name=" + "x" * 16):
        done = subprocess.run(
            ["docker", "-H", docker.host, "network", "create", "-o", option, docker.name("bad")],
            capture_output=True,
            check=False,
        )
        assert b"invalid interface name" in done.stderr


@pytest.fixture
def parent() -> Iterator[str]:
    """A link for containers to lie on."""
    near, far = f"mv{os.getpid()}c"[:15], f"mv{os.getpid()}d"[:15]
    subprocess.run(["ip", "link", "add", near, "type", "veth", "peer", "name", far], check=True)
    for link in (near, far):
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
    yield near
    subprocess.run(["ip", "link", "del", near], check=True)


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_containers_on_macvlan_and_ipvlan_find_each_other_by_name(both: Docker, parent: str, driver: str):
    tried = ["ip", "link", "add", "link", parent, "name", f"mv{os.getpid()}e"[:15], "type", driver]
    if subprocess.run(tried, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this kernel has no {driver}")
    subprocess.run(["ip", "link", "del", tried[6]], check=True)
    image = both.image("vlan", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = both.name(driver)
    both("network", "create", "-d", driver, "-o", f"parent={parent}", "--subnet", "10.248.11.0/24", name)
    options = ("--network", name, "--network-alias", "everyone")
    first, second = (both.run(short, image, "sleep", "1000", options=options) for short in ("first", "second"))

    def resolves(by: str, whom: str) -> bool:
        done = subprocess.run(["docker", "-H", both.host, "exec", by, "ping", "-c1", "-W5", whom], check=False)
        return done.returncode == 0

    assert resolves(first, second)  # it came later
    assert resolves(second, first)
    assert resolves(first, "everyone")
    both("network", "disconnect", name, second)
    assert not resolves(first, second)
    both("network", "connect", "--ip", "10.248.11.77", "--alias", "again", name, second)
    assert resolves(first, "again")
    both("rm", "-f", second)
    assert not resolves(first, "again")
    both("rm", "-f", first)
    both("network", "rm", name)


def test_options_of_a_network_are_seen_by_its_containers(both: Docker):
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = both.name("options")
    own = ("--subnet", "10.213.7.0/24", "--gateway", "10.213.7.1", "--aux-address", "printer=10.213.7.2")
    packets = ("--opt", "com.docker.network.driver.mtu=1400")
    binding = ("--opt", "com.docker.network.bridge.host_binding_ipv4=127.0.0.1")
    both("network", "create", "--label", f"pyd.test={both.prefix}", *own, *packets, *binding, name)
    port = free_port()
    container = both.run("optional", image, "sleep", "1000", options=("--network", name, "-p", f"{port}:80"))
    assert both("exec", container, "cat", "/sys/class/net/eth0/mtu") == "1400"
    assert both("exec", container, "sh", "-c", "ip -4 addr show eth0 | grep -o 10.213.7.[0-9]*/").startswith(
        "10.213.7.3"
    )
    assert both("port", container) == f"80/tcp -> 127.0.0.1:{port}"
    ipam = json.loads(both("network", "inspect", name))[0]["IPAM"]["Config"][0]
    assert ipam["AuxiliaryAddresses"] == {"printer": "10.213.7.2"}
    both("rm", "-f", container)
    both("network", "rm", name)


def test_a_requested_hardware_address_outlasts_restarts(both: Docker):
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    own = "02:42:ac:11:77:99"
    container = both.run("hard", image, "sleep", "1000", options=("--mac-address", own, "--stop-signal", "KILL"))
    for _ in range(2):
        assert both("exec", container, "cat", "/sys/class/net/eth0/address") == own
        both("restart", container)
    both("rm", "-f", container)


@pytest.mark.parametrize(
    "options",
    [
        ("--ipam-driver", "nosuch"),
        ("--ingress",),
        ("--opt", "com.docker.network.driver.mtu=x"),
        ("--subnet", "10.213.8.0/24", "--aux-address", "a=10.213.9.1"),
    ],
)
def test_a_network_that_could_not_be_what_it_says_is_refused(both: Docker, options: tuple[str, ...]):
    name = both.name("wrong")
    done = subprocess.run(
        ["docker", "-H", both.host, "network", "create", *options, name], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert both("network", "ls", "-q", "--filter", f"name={name}") == ""


def _shown(interface: str) -> tuple[bool, list[object]]:
    """Return whether an interface is up, and its addresses. udev may still change its hardware address."""
    output = subprocess.run(["ip", "-j", "addr", "show", interface], capture_output=True, check=True).stdout
    link = json.loads(output)[0]
    return "UP" in link["flags"], link["addr_info"]


@pytest.mark.parametrize("kind", ["bridge", "veth"])
def test_an_interface_of_another_program_is_never_taken_over(docker: Docker, kind: str):
    """Such as another engine's bridge: it would get an address, and go with the network."""
    name = f"pydt{os.getpid() % 100000}"
    subprocess.run(["ip", "link", "add", name, "type", kind], check=True)
    try:
        before = _shown(name)
        command = ["network", "create", "-o", f"com.docker.network.bridge.name={name}", docker.name("foreign")]
        done = subprocess.run(["docker", "-H", docker.host, *command], capture_output=True, text=True, check=False)
        docker("network", "rm", docker.name("foreign"), check=False)
        assert done.returncode == 1
        assert f"interface {name} is there already" in done.stderr
        assert _shown(name) == before
    finally:
        subprocess.run(["ip", "link", "del", name], check=True)


def test_prune_takes_networks_of_containers_that_ended(both: Docker):
    """On version 0.1 they stayed."""
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    mine = f"pyd.test={both.prefix}"
    used, free = (both("network", "create", "--label", mine, both.name(short)) for short in ("used", "free"))
    running = both.run("running", image, "sleep", "1000", options=("--network", used, "--stop-signal", "KILL"))
    ended = both.create("ended", image, "true", options=("--network", free))
    removed = both("network", "prune", "--force", "--filter", f"label={mine}")
    assert both.name("free") in removed
    assert both.name("used") not in removed
    both("rm", "-f", running, ended)
    both("network", "rm", used)


def test_ports_are_published_by_networks_that_lead_outside(both: Docker):
    """On version 0.1 a port led into an internal network, and stayed where the network it led to was left."""
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    inner, outer, more = (both.name(short) for short in ("inner", "outer", "more"))
    both("network", "create", "--internal", inner)
    both("network", "create", outer)
    both("network", "create", more)
    port = free_port()
    options = ("--network", inner, "-p", f"{port}:80", "--stop-signal", "KILL")
    container = both.run("inner", image, "sh", "-c", SERVER, options=options)
    wait_for_server(both, container)
    assert both("port", container) == ""
    for add, remove in ((outer, ""), (more, outer)):
        both("network", "connect", add, container)
        if remove:
            both("network", "disconnect", remove, container)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            assert answer.read() == b"hello\n"
    both("network", "disconnect", more, container)
    assert both("port", container) == ""
    both("rm", "-f", container)
    both("network", "rm", inner, outer, more)


def test_options_of_the_default_network_are_shown(both: Docker):
    options = json.loads(both("network", "inspect", "bridge"))[0]["Options"]
    assert options.pop("com.docker.network.bridge.name")
    assert options == {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",  # noqa: S104 - compared
        "com.docker.network.driver.mtu": "1500",
    }


def test_link_local_addresses_are_assigned_as_requested(both: Docker):
    """On version 0.1 they were taken and forgotten."""
    image = both.image("nets", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = both.name("local")
    both("network", "create", name)
    options = ("--network", name, "--link-local-ip", "169.254.7.7", "--stop-signal", "KILL")
    container = both.run("local", image, "sleep", "1000", options=options)
    peer = ("run", "--rm", "--network", name, "--link-local-ip")
    assert "1 packets received" in both(*peer, "169.254.8.8", image, "ping", "-c1", "-W5", "169.254.7.7")
    both("rm", "-f", container)
    for wrong in ("169.253.5.5", "2001:db8::89"):
        with pytest.raises(AssertionError):
            both(*peer, wrong, image, "true")
    both("network", "rm", name)
