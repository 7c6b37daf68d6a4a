"""`--link`: only to containers that run on the default network."""

from __future__ import annotations

import os
import subprocess

from support.docker import QUICK, Docker, busybox_files
from support.pydd import Pydd
from support.staging import wait_until

SLEEP = ("sleep", "1000")


def failed(docker: Docker, *arguments: str) -> str:
    done = subprocess.run(["docker", "-H", docker.host, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr


def test_a_container_isnt_started_before_those_it_is_linked_with(both: Docker):
    image = both.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    server = both.create("server", image, *SLEEP, options=QUICK)
    client = both.create("client", image, *SLEEP, options=("--link", f"{server}:db", *QUICK))
    refused = f"Cannot link to a non running container: /{server} AS /{client}/db"
    assert refused in failed(both, "start", client)
    state = both.inspect(client)["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 128)
    both("start", server)
    both("start", client)
    assert " db " in both("exec", client, "cat", "/etc/hosts").replace("\t", " ")
    both("kill", server)
    assert refused in failed(both, "restart", client)
    both("rm", "-f", server, client)


def test_a_link_leads_to_a_container_of_the_default_network(both: Docker):
    image = both.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    network = both("network", "create", "--label", f"pyd.test={both.prefix}", both.name("elsewhere"))
    server = both.run("server", image, *SLEEP, options=("--network", network, *QUICK))
    client = both.create("client", image, *SLEEP, options=("--link", server, *QUICK))
    assert f"Cannot link to /{server}, as it does not belong to the default network" in failed(both, "start", client)
    both("rm", client)
    both("kill", server)
    client = both.create("client", image, "true", options=("--network", network, "--link", f"{server}:db"))
    both("start", "-a", client)  # there it is a name, whoever runs
    both("rm", server, client)
    both("network", "rm", network)


def test_linked_containers_come_back_in_order():
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        always = ("--restart", "always", *QUICK)
        server = docker.run("server", image, *SLEEP, options=always)
        client = docker.run("client", image, *SLEEP, options=("--link", server, *always))
        pids = [docker.inspect(name)["State"]["Pid"] for name in (server, client)]
        engine.kill()
        for pid in pids:
            os.kill(pid, 9)
        engine.start()
        wait_until(lambda: all(docker.inspect(name)["State"]["Running"] for name in (server, client)))
        docker("rm", "-f", server, client)
        docker("rmi", image)
