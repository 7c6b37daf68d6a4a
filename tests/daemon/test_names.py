"""Names in containers: the hosts file, the host's names, the network's name server, on both engines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files


@pytest.fixture
def image(both: Docker) -> str:
    """A busybox on either engine."""
    return both.image("named", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture
def network(both: Docker) -> Iterator[str]:
    """A network of the user's, whose containers find each other by name."""
    name = both.name("names")
    both("network", "create", name)
    yield name
    both("network", "rm", name)


def test_a_volume_on_etc_does_not_hide_the_engines_files_there(both: Docker, image: str):
    volume = both.name("etc")
    script = "cat /etc/hostname && grep -c localhost /etc/hosts && test -s /etc/resolv.conf && echo there"
    output = both("run", "--rm", "-h", "me", "-v", f"{volume}:/etc", image, "sh", "-c", script)
    both("volume", "rm", volume)
    assert output.splitlines()[0] == "me"
    assert output.splitlines()[-1] == "there"


def test_a_container_that_shares_anothers_network_shares_its_name(both: Docker, image: str):
    owner = both.run("owner", image, "sleep", "1000", options=("-h", "shop", "--domainname", "example.test"))
    script = "hostname; cat /etc/hostname; echo $HOSTNAME"
    assert both("run", "--rm", "--network", f"container:{owner}", image, "sh", "-c", script).split() == ["shop"] * 3
    both("rm", "-f", owner)


def test_on_the_hosts_network_the_hosts_names_are_known(both: Docker, image: str):
    hosts = both("run", "--rm", "--network", "host", image, "cat", "/etc/hosts")
    assert hosts.strip() == Path("/etc/hosts").read_text().strip()
    added = both("run", "--rm", "--network", "host", "--add-host", "more:192.0.2.9", image, "cat", "/etc/hosts")
    assert "192.0.2.9\tmore" in added


def test_the_name_server_is_found_at_its_usual_address_by_udp_and_tcp(both: Docker, image: str, network: str):
    options = ("--network", network, "--network-alias", "web")
    server = both.run("served", image, "sleep", "1000", options=options)
    address = both.inspect(server)["NetworkSettings"]["Networks"][network]["IPAddress"]
    asking = both.run("asking", image, "sleep", "1000", options=("--network", network))
    assert address in both("exec", asking, "nslookup", "web", "127.0.0.11")
    # A query for `web`, type A, class IN, with the length before it that TCP takes: RFC 1035, 4.1 and 4.2.2.
    query = r"\000\025\022\064\001\000\000\001\000\000\000\000\000\000\003web\000\000\001\000\001"
    by_tcp = f"(printf '{query}'; sleep 1) | nc 127.0.0.11 53 | od -An -tu1 | tr -s ' \\n' ' '"
    assert both("exec", asking, "sh", "-c", by_tcp).strip().endswith(address.replace(".", " "))
    both("rm", "-f", server, asking)


def test_the_name_server_follows_the_containers_networks(both: Docker, image: str, network: str):
    server = both.run("served", image, "sleep", "1000", options=("--network", network))
    moving = both.run("moving", image, "sleep", "1000")
    ask = ("exec", moving, "sh", "-c", f"nslookup {server} 127.0.0.11 >/dev/null 2>&1; echo $?")
    assert both(*ask) == "1"
    both("network", "connect", network, moving)
    assert both(*ask) == "0"
    both("network", "disconnect", network, moving)
    assert both(*ask) == "1"
    both("rm", "-f", server, moving)


def test_names_are_found_with_their_networks_after_them(both: Docker, image: str, network: str):
    """On version 0.1 `NAME.NETWORK` was asked of the servers of the world."""
    server = both.run("full", image, "sleep", "1000", options=("--network", network, "--network-alias", "web.shop"))
    short = both.inspect(server)["Id"][:12]
    asking = both.run("asking", image, "sleep", "1000", options=("--network", network))
    address = both.inspect(server)["NetworkSettings"]["Networks"][network]["IPAddress"]
    for name in (server, "web.shop", short):
        assert f"({address})" in both("exec", asking, "ping", "-c1", "-W5", f"{name}.{network}")
    both("rename", server, f"{server}-renamed")
    assert f"({address})" in both("exec", asking, "ping", "-c1", "-W5", f"{server}-renamed.{network}")
    both("rm", "-f", f"{server}-renamed", asking)


ATTACK = """
set -e
ip link add far type veth peer name near netns $1
ip addr add 192.0.2.2/24 dev far
nsenter -t $1 -n ip addr add 192.0.2.1/24 dev near
nsenter -t $1 -n ip link set near up
ip link set far up
echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
ip route add 127.0.0.1 via 192.0.2.1
curl -s --retry 9 --retry-connrefused http://192.0.2.1/ && echo by the link
curl -s --max-time 3 http://127.0.0.1/ && echo by the loopback || true
"""


def test_a_neighbour_does_not_reach_what_listens_on_the_loopback(docker: Docker, busybox: str):
    """A link of its own to the container stands for a bridge: there the host's rules may drop such packets already."""
    network = docker.name("apart")
    docker("network", "create", network)
    script = "echo hello > /tmp/index.html; exec httpd -f -h /tmp -p 80"
    server = docker.run("within", busybox, "sh", "-c", script, options=("--network", network))
    pid = str(docker.inspect(server)["State"]["Pid"])
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", ATTACK, "sh", pid], capture_output=True, text=True, check=True, timeout=60
    )
    docker("rm", "-f", server)
    docker("network", "rm", network)
    assert "by the link" in done.stdout  # the link is up, and the server answers
    assert "by the loopback" not in done.stdout


def test_without_a_subnet_there_is_no_ipv6(both: Docker, image: str, network: str):
    script = "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip -6 addr show dev eth0"
    assert both("run", "--rm", "--network", network, image, "sh", "-c", script) == "1"
