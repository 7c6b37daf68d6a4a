"""Attacks on the host and on neighbours by what the engine mounts into containers and by its networks.

Each of them succeeded on version 0.1, as its docstring says.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.linux import netns
from support.docker import Docker, busybox_files, compile_static
from support.page import SERVER, wait_for_server
from support.pydd import Pydd

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
SLEEP = ("sleep", "1000")

SPOOF = r"""
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
/* spoof SOURCE TARGET PORT TEXT: one datagram with a source address of the sender's choice; see raw(7). */
int main(int argc, char **argv) {
    char packet[512] = {0};
    struct iphdr *ip = (void *)packet;
    struct udphdr *udp = (void *)(packet + sizeof *ip);
    size_t length = strlen(argv[4]);
    memcpy(packet + sizeof *ip + sizeof *udp, argv[4], length);
    ip->ihl = 5; ip->version = 4; ip->ttl = 64; ip->protocol = IPPROTO_UDP;
    ip->saddr = inet_addr(argv[1]); ip->daddr = inet_addr(argv[2]);
    udp->source = htons(9999); udp->dest = htons(atoi(argv[3])); udp->len = htons(sizeof *udp + length);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = ip->daddr};
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    return sendto(s, packet, sizeof *ip + sizeof *udp + length, 0, (void *)&to, sizeof to) < 0;
}
"""


@pytest.fixture(scope="module")
def spoof(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with a program that sends datagrams from any source."""
    program = compile_static(SPOOF, tmp_path_factory.mktemp("spoof") / "spoof")
    return docker.image(
        "spoof", {**busybox_files(), "bin/spoof": program}, 'CMD ["/bin/sh"]', directories=("tmp", "etc")
    )


@pytest.fixture
def network(docker: Docker) -> Iterator[str]:
    """A network of the user's."""
    name = docker.name("attacked")
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


def gateway_of(docker: Docker, network: str) -> str:
    address: str = json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"][0]["Gateway"]
    return address


def address_of(docker: Docker, container: str) -> str:
    networks = docker.inspect(container)["NetworkSettings"]["Networks"]
    address: str = next(iter(networks.values()))["IPAddress"]
    return address


def test_the_hosts_network_does_not_bring_what_is_mounted_below_sys():
    """Version 0.1 bound the host's /sys with tracefs, bpffs and the like below it, and those were writable."""
    planted = next(path for path in ("/sys/kernel/tracing", "/sys/kernel/debug", "/sys/fs/bpf") if Path(path).is_dir())
    script = f'mount -t tmpfs planted {planted} && touch {planted}/of-the-host && exec "$@"'
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("sys", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        engine.stop()
        engine.start(before=("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"))
        for options in ((), ("--privileged",)):
            run = ("run", "--rm", "--network", "host", *options, image, "sh", "-c")
            mounts = docker(*run, "cut -d' ' -f5,9- /proc/self/mountinfo")
            assert "planted" not in mounts
            assert "/sys - sysfs" in mounts.replace("/sys sysfs", "/sys - sysfs")
            assert docker(*run, f"ls {planted}; echo x > {planted}/written; true") == ""
        docker("rmi", image)


def listener() -> socket.socket:
    """A socket for datagrams on every address, as services have."""
    udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp_socket.bind(("0.0.0.0", 0))  # noqa: S104
    udp_socket.settimeout(3)
    return udp_socket


def first_heard(receiver: socket.socket, docker: Docker, sender: str, target: str) -> bytes:
    """The first datagram of all that were sent; an honest one is sent until it or another arrives."""
    port = str(receiver.getsockname()[1])
    for _ in range(20):
        docker("exec", sender, "spoof", address_of(docker, sender), target, port, "honest")
        with contextlib.suppress(TimeoutError):
            return receiver.recv(100)
    raise AssertionError(f"nothing reaches {target}")


def test_a_loopback_source_does_not_reach_the_host(docker: Docker, spoof: str):
    """Version 0.1 delivered datagrams from 127.0.0.5 where `rp_filter` is 0, the kernel's default."""
    attacker = docker.run("attacker", spoof, *SLEEP)
    gateway = gateway_of(docker, "bridge")
    shown = json.loads(subprocess.run(["ip", "-j", "addr"], capture_output=True, check=True).stdout)
    bridge = next(
        interface["ifname"] for interface in shown if any(own.get("local") == gateway for own in interface["addr_info"])
    )
    Path(f"/proc/sys/net/ipv4/conf/{bridge}/rp_filter").write_text("0")
    with listener() as receiver:
        port = str(receiver.getsockname()[1])
        for source in ("127.0.0.5", "127.1.2.3", "127.0.0.1"):
            docker("exec", attacker, "spoof", source, gateway, port, "spoofed")
        assert first_heard(receiver, docker, attacker, gateway) == b"honest"
    docker("rm", "-f", attacker)


def test_a_loopback_source_does_not_reach_a_neighbour(docker: Docker, spoof: str, network: str):
    """Version 0.1 switched `route_localnet` on in containers, and dropped such packets by their target alone."""
    attacker = docker.run("attacker", spoof, *SLEEP, options=("--network", network))
    neighbour = docker.run("neighbour", spoof, *SLEEP, options=("--network", network))
    target = address_of(docker, neighbour)
    with netns.run_inside(f"/proc/{docker.inspect(neighbour)['State']['Pid']}/ns/net", listener) as receiver:
        port = str(receiver.getsockname()[1])
        docker("exec", attacker, "spoof", "127.0.0.5", target, port, "spoofed")
        assert first_heard(receiver, docker, attacker, target) == b"honest"
    docker("rm", "-f", attacker, neighbour)


def test_a_name_server_answers_only_its_own_network(docker: Docker, busybox: str, network: str):
    """Version 0.1 revealed any network's names to programs on the host and containers of the default network."""
    other = docker.name("other")
    docker("network", "create", other)
    server = docker.run("secret", busybox, *SLEEP, options=("--network", network))
    gateway = gateway_of(docker, network)
    address = address_of(docker, server)
    ask = f"timeout 3 nslookup -timeout=1 -retry=1 {server} {gateway} | grep -q {address} && echo answered"
    connect = f"timeout 2 nc -w 1 {gateway} 53 < /dev/null && echo connected"
    script = f"{ask}; {connect}; true"
    assert docker("run", "--rm", "--network", network, busybox, "sh", "-c", script).split() == ["answered", "connected"]
    for elsewhere in ("bridge", other, "host"):
        assert docker("run", "--rm", "--network", elsewhere, busybox, "sh", "-c", script) == "", elsewhere
    docker("rm", "-f", server)
    docker("network", "rm", other)


LAN = """
set -e
echo unshared
read -r public local
echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
ip addr add 198.18.77.2/30 dev near
ip link set near up
ip route add 127.0.0.1 via 198.18.77.1
curl -s --retry 5 --retry-all-errors --max-time 5 http://198.18.77.1:$public/ && echo by the address
curl -s --max-time 2 http://127.0.0.1:$local/ && echo by the loopback || true
"""


def test_a_port_published_on_the_loopback_is_not_reached_from_a_link(docker: Docker, busybox: str):
    """Version 0.1 translated packets of a neighbour of the host for 127.0.0.1, before the kernel drops such."""
    published = ("-p", "0.0.0.0::80", "-p", "127.0.0.1::80")
    server = docker.run("local", busybox, "sh", "-c", SERVER, options=published)
    wait_for_server(docker, server)
    ports = {
        binding["HostIp"]: binding["HostPort"]
        for binding in docker.inspect(server)["NetworkSettings"]["Ports"]["80/tcp"]
    }
    link = f"lan{os.getpid()}"[:15]
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", LAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as lan:
        assert lan.stdout is not None
        assert lan.stdout.readline() == "unshared\n"
        peer = ("peer", "name", "near", "netns", str(lan.pid))
        subprocess.run(["ip", "link", "add", link, "type", "veth", *peer], check=True)  # goes with the namespace
        subprocess.run(["ip", "addr", "add", "198.18.77.1/30", "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        output, _ = lan.communicate(f"{ports['0.0.0.0']} {ports['127.0.0.1']}\n", timeout=60)  # noqa: S104 - compared
    docker("rm", "-f", server)
    assert "by the address" in output  # the link is up
    assert "by the loopback" not in output


def as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NOBODY, *command], capture_output=True, text=True, check=False)


def test_other_users_of_the_host_see_nothing_of_containers(pydd: Pydd, docker: Docker, busybox: str, network: str):
    """Version 0.1 let every user list names and addresses, and write into the shared memory of shareable containers."""
    volume = docker.name("parts")
    docker("run", "--rm", "-v", f"{volume}:/v", busybox, "sh", "-c", "mkdir -m 777 /v/part")
    options = ("--network", network, "--ipc", "shareable", "--mount")
    part = f"type=volume,source={volume},target=/part,volume-subpath=part"
    container = docker.run("shared", busybox, *SLEEP, options=(*options, part))
    key = docker.inspect(container)["Id"]
    pydd.home.chmod(0o711)
    try:
        memory = pydd.config.run / "c" / key / "shm"
        assert memory.is_dir()
        assert as_nobody("sh", "-c", f"echo x > {memory}/x").returncode != 0
        reached = [
            str(path)
            for top in (pydd.config.run, pydd.config.root)
            for path in top.rglob("*")
            if not path.is_symlink()
            and path.is_dir()
            and path.parent in {top, top / "c", top / "containers", top / "parts"}
            if as_nobody("ls", str(path)).returncode == 0
        ]
        assert reached in ([], [str(pydd.config.root / "base")])  # the mount points of every container
        assert docker("exec", container, "ls", "/dev/shm") == ""
    finally:
        pydd.home.chmod(0o700)
    docker("rm", "-f", container)
    docker("volume", "rm", volume)


def test_no_name_is_read_as_the_name_servers_notation(docker: Docker, busybox: str):
    """Version 0.1 wrote aliases unchecked into its name server's file: a line break added any name."""
    network = docker.name("aardvark.pid")
    api = ("curl", "-s", "--unix-socket", docker.host.removeprefix("unix://"), "-H", "Content-Type: application/json")
    docker("network", "create", network)
    server = docker.run("served", busybox, *SLEEP, options=("--network", network))
    body = {
        "Image": busybox,
        "Cmd": list(SLEEP),
        "HostConfig": {"NetworkMode": network},
        "NetworkingConfig": {
            "EndpointsConfig": {network: {"Aliases": ["x\n" + "0" * 64 + " 192.0.2.66  bank", "y,till"]}}
        },
    }
    name = docker.name("hostile")
    url = f"http://d/v1.45/containers/create?name={name}"
    subprocess.run([*api, "-d", json.dumps(body), url], check=True, stdout=subprocess.DEVNULL)
    docker("start", name)
    for queried in ("bank", "till"):
        answer = docker("exec", server, "nslookup", queried, check=False)
        assert "192.0.2.66" not in answer
        assert address_of(docker, name) not in answer
    docker("rm", "-f", server, name)
    docker("network", "rm", network)


@pytest.mark.parametrize("subnet", ["10.213.0.1/24", "10.213.0.0/31", "nonsense", "fd00:1::/64"])
def test_a_default_subnet_that_cannot_be_is_refused_at_start(tmp_path: Path, subnet: str):
    """Version 0.1 started, and then refused each container."""
    engine = Pydd(tmp_path)
    done = subprocess.run(engine.command("--subnet", subnet), capture_output=True, text=True, check=False, timeout=60)
    shutil.rmtree(engine.config.root, ignore_errors=True)
    assert done.returncode == 125
    assert "invalid subnet" in done.stderr
