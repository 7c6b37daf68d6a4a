"""`--link`: only to containers that run on the default network."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

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
    both("start", "-a", client)  # there it is only a name, even of a container that has exited
    both("rm", server, client)
    both("network", "rm", network)


def request(docker: Docker, method: str, path: str) -> tuple[int, Any]:
    """A request that the docker CLI has no command for; returns status and answer."""
    command = ["curl", "-s", "-X", method, "-w", "\n%{http_code}", "--unix-socket", docker.host.removeprefix("unix://")]
    body, _, status = subprocess.check_output([*command, f"http://d/v1.45{path}"], text=True).rpartition("\n")
    return int(status), json.loads(body) if body.strip() else None


def test_a_link_is_a_name_of_its_target_and_can_be_removed(both: Docker):
    """On version 0.1 a link was shown as it was written, gave no name, and `rm --link` was refused."""
    image = both.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    server = both.run("server", image, *SLEEP, options=QUICK)
    client = both.run("client", image, *SLEEP, options=("--link", server, "--link", f"{server}:db", *QUICK))
    links = {f"/{server}:/{client}/{alias}" for alias in (server, "db")}
    assert set(both.inspect(client)["HostConfig"]["Links"]) == links
    both("rename", client, f"{client}-renamed")
    client = f"{client}-renamed"
    assert both.inspect(f"{client}/db")["Name"] == f"/{server}"
    shown = request(both, "GET", "/containers/json")[1]
    names = next(container["Names"] for container in shown if f"/{server}" in container["Names"])
    assert set(names) == {f"/{server}", f"/{client}/db", f"/{client}/{server}"}
    assert f"DB_NAME=/{client}/db" in both("exec", client, "env").splitlines()
    both("rm", "--link", f"{client}/db")
    assert both.inspect(client)["HostConfig"]["Links"] == [f"/{server}:/{client}/{server}"]
    assert " db " not in both("exec", client, "cat", "/etc/hosts").replace("\t", " ")
    assert "cannot remove the default link name" in failed(both, "rm", "--link", client)
    both("rename", server, f"{server}-renamed")  # a link leads to the container, whatever its name becomes
    assert both.inspect(client)["HostConfig"]["Links"] == [f"/{server}-renamed:/{client}/{server}"]
    both("rm", "-f", f"{server}-renamed")
    both("rm", "-f", client)


def test_a_link_on_a_network_is_a_name_that_one_container_asks_for(both: Docker):
    """On version 0.1 it stood in the hosts file alone, and what it leads to had to be there."""
    image = both.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    network = both("network", "create", "--label", f"pyd.test={both.prefix}", both.name("linked"))
    later = both.name("later")
    options = ("--network", network, "--link", f"{later}:db", *QUICK)
    client = both.run("client", image, *SLEEP, options=options)
    server = both.run("later", image, *SLEEP, options=("--network", network, *QUICK))
    third = both.run("third", image, *SLEEP, options=("--network", network, *QUICK))
    address = both.inspect(server)["NetworkSettings"]["Networks"][both.name("linked")]["IPAddress"]
    for name in ("db", f"db.{both.name('linked')}"):
        assert address in both("exec", client, "nslookup", name, check=False)
    assert address not in both("exec", third, "nslookup", "db", check=False)
    both("rm", "-f", client, server, third)
    both("network", "rm", network)


def test_a_link_leads_through_who_shares_a_network_and_not_to_the_hosts(both: Docker):
    image = both.image("links", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    server = both.run("server", image, *SLEEP, options=QUICK)
    sharing = both.run("sharing", image, *SLEEP, options=("--network", f"container:{server}", *QUICK))
    known = both("run", "--rm", "--link", f"{sharing}:db", image, "cat", "/etc/hosts")
    assert both.inspect(server)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] in known
    outside = both.run("outside", image, *SLEEP, options=("--network", "host", *QUICK))
    refused = failed(both, "create", "--link", outside, image)
    assert "host type networking can't be used with links. This would result in undefined behavior" in refused
    assert "could not get container for nosuch: No such container" in failed(both, "create", "--link", "nosuch", image)
    both("rm", "-f", server, sharing, outside)


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
