"""Networks behind a firewall that drops what it does not know, as ufw does."""

from __future__ import annotations

import os
import subprocess
import time

from support.docker import Docker, busybox_files
from support.page import SERVER, wait_for_server
from support.pydd import Pydd

FIREWALL = """
ip link set lo up
for program in iptables ip6tables; do
    $program -F
    $program -P INPUT DROP
    $program -P FORWARD DROP
    $program -A INPUT -i lo -j ACCEPT
    $program -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
done
exec "$@"
"""
"""What ufw does when it is enabled or reloads its rules, as far as it affects containers."""


def test_names_and_published_ports_work_behind_a_firewall_that_drops_what_it_does_not_know():
    """On a network of the engine's own, so that the host's firewall stays as it is."""
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        engine.stop()
        engine.start(before=("unshare", "--net", "sh", "-ec", FIREWALL, "sh"))
        assert engine.process is not None
        namespace = os.open(f"/proc/{engine.process.pid}/ns/net", os.O_RDONLY)
        inside = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{namespace}"]

        def rules() -> str:
            return subprocess.run([*inside, "iptables", "-S"], capture_output=True, text=True, check=True).stdout

        image = docker.image("walled", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        network = docker.name("walled")
        docker("network", "create", network)
        server = docker.run("walled", image, "sh", "-c", SERVER, options=("--network", network, "-p", "8080:80"))
        wait_for_server(docker, server)

        def reached() -> None:
            answer = docker("run", "--rm", "--network", network, image, "wget", "-T", "5", "-qO-", f"http://{server}/")
            assert answer == "hello"
            command = [*inside, "/bin/busybox", "wget", "-T", "5", "-qO-", "http://127.0.0.1:8080/"]
            assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "hello\n"

        reached()
        engine.kill()
        subprocess.run([*inside, "sh", "-ec", FIREWALL, "sh", "true"], check=True)
        engine.start(before=inside)
        limit = time.monotonic() + 60
        while "--dport 53" not in rules():
            assert time.monotonic() < limit, "the engine puts back what the firewall forgot while none ran"
        reached()
        docker("rm", "-f", server)
        docker("network", "rm", network)
        assert "--dport 53" not in rules()
        engine.stop()
        engine.start()
        os.close(namespace)
