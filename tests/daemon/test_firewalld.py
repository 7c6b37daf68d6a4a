"""Networks behind a running firewalld, on a network and a bus of the test's own: the host's are left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.missing import missing
from support.page import SERVER
from support.pydd import Pydd

BUS = """<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
TIMEOUT_S = 120.0
INSIDE, OUTSIDE = "192.0.2.1", "192.0.2.2"


@contextmanager
def kept(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that ends with the test, from when it has printed a line."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), command
        yield process
    finally:
        process.kill()
        process.communicate()


@dataclass
class Machine:
    """A machine with firewalld, linked to one outside."""

    directory: Path
    inside: Sequence[str]
    """What runs a command on it."""
    outside: Sequence[str]

    def call(self, *command: str) -> str:
        """Run a command on it."""
        return subprocess.run(
            [*self.inside, *command], check=True, capture_output=True, text=True, timeout=TIMEOUT_S
        ).stdout

    @contextmanager
    def firewalld(self) -> Iterator[None]:
        """Run firewalld on it, from when it answers."""
        log = self.directory / "firewalld.log"
        process = subprocess.Popen(
            [*self.inside, "setpriv", "--pdeathsig", "KILL", FIREWALLD, "--nofork", "--nopid", "--system-config",
             str(self.directory), "--log-target", "file", "--log-file", str(log)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while "running" not in self.zone("--state", check=False):
                assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait()

    def zone(self, *options: str, check: bool = True) -> str:
        """Ask firewalld."""
        command = [*self.inside, "firewall-cmd", *options]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=TIMEOUT_S).stdout

    def trusted(self) -> list[str]:
        """The interfaces in that zone."""
        return self.zone("--zone=trusted", "--list-interfaces").split()

    def wait_trusted(self, count: int) -> None:
        """Wait until the zone has so many."""
        limit = time.monotonic() + TIMEOUT_S
        while len(interfaces := self.trusted()) != count:
            assert time.monotonic() < limit, interfaces

    def get(self, address: str, *, of: Sequence[str] | None = None, seconds: int = 30) -> bool:
        """Return whether a page can be fetched from the address, from outside or with another command prefix."""
        command = [*(of or self.outside), "/bin/busybox", "wget", "-T", str(seconds), "-qO-", f"http://{address}/"]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout == "hello\n"


FIREWALLD = shutil.which("firewalld", path="/usr/sbin:/sbin:/usr/bin") or ""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("the engine needs root")
    if not FIREWALLD or shutil.which("dbus-daemon") is None:
        missing("firewalld and dbus-daemon")  # `up.sh --tests` installs them on CI alone
    bus, page = tmp_path / "bus", tmp_path / "page"
    (tmp_path / "bus.conf").write_text(BUS.format(socket=bus))
    page.mkdir()
    (page / "index.html").write_text("hello\n")
    with ExitStack() as stack:
        hold = ["unshare", "--net", "sh", "-ec", "ip link set lo up; echo ready; exec sleep infinity"]
        here, there = stack.enter_context(kept(*hold)), stack.enter_context(kept(*hold))
        enter = ["nsenter", "--net", "-t"]
        env = ["env", f"DBUS_SYSTEM_BUS_ADDRESS=unix:path={bus}"]
        machine = Machine(tmp_path, [*enter, str(here.pid), *env], [*enter, str(there.pid)])
        machine.call("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(there.pid))
        machine.call("ip", "address", "add", f"{INSIDE}/24", "dev", "near")
        machine.call("ip", "link", "set", "near", "up")
        for command in (f"address add {OUTSIDE}/24 dev far", "link set far up"):
            subprocess.run([*machine.outside, "ip", *command.split()], check=True)
        stack.enter_context(
            kept("dbus-daemon", f"--config-file={tmp_path / 'bus.conf'}", "--nofork", "--print-address")
        )
        web = [sys.executable, "-u", "-m", "http.server", "--bind", OUTSIDE, "--directory", str(page), "80"]
        stack.enter_context(kept(*machine.outside, *web))
        yield machine


def test_containers_reach_and_are_reached_behind_firewalld(machine: Machine):
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        engine.stop()
        engine.start(before=machine.inside)
        image = docker.image("zoned", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        network, inner, late = docker.name("zoned"), docker.name("inner"), docker.name("late")
        docker("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", network)
        docker("network", "create", "--internal", inner)
        server = docker.run("server", image, "sh", "-c", SERVER, options=("--network", network, "-p", "8080:80"))
        other = docker.run("other", image, "sleep", "infinity", options=("--network", network))
        shut = docker.run("shut", image, "sleep", "infinity", options=("--network", inner))
        address = docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}', server)

        def inside(name: str) -> list[str]:
            return ["docker", "-H", docker.host, "exec", name]

        def reaches() -> None:
            assert machine.get(f"{INSIDE}:8080")
            assert machine.get(OUTSIDE, of=inside(other))
            assert address in docker("exec", other, "nslookup", server)

        def apart() -> None:
            assert not machine.get(address, of=inside(other), seconds=2), "icc=false is the engine's to keep"
            assert not machine.get(OUTSIDE, of=inside(shut), seconds=2), "an internal network has no way out"

        reaches()
        with machine.firewalld():
            machine.wait_trusted(2)
            reaches()
            apart()
            machine.zone("--reload")
            machine.wait_trusted(2)
            reaches()
            docker("network", "create", late)
            assert len(machine.trusted()) == 3
            engine.kill()
            machine.zone("--reload")
            assert machine.trusted() == []
            engine.start(before=machine.inside)
            machine.wait_trusted(3)
            reaches()
            apart()
            docker("rm", "-f", server, other, shut)
            docker("network", "rm", network, inner, late)
            assert machine.trusted() == []
        engine.stop()
        assert "firewalld:" not in engine.output
        engine.start()


def test_without_busctl_firewalld_is_configured_by_its_own_program(machine: Machine, tmp_path: Path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for directory in ("/usr/bin", "/usr/sbin"):
        for program in Path(directory).iterdir():
            if program.name != "busctl" and not (programs / program.name).is_symlink():
                (programs / program.name).symlink_to(program)
    with machine.firewalld(), Pydd.started() as engine, Docker(host=engine.host) as docker:
        engine.stop()
        engine.start(before=[*machine.inside, f"PATH={programs}"])
        docker("network", "create", docker.name("zoned"))
        assert len(machine.trusted()) == 1
        docker("network", "rm", docker.name("zoned"))
        assert machine.trusted() == []
        engine.stop()
        assert "firewalld:" not in engine.output
        engine.start()


def test_a_firewalld_that_refuses_costs_a_warning_and_no_network(machine: Machine):
    rules = machine.directory / "bus.conf"
    refusing = rules.read_text().replace(
        "</policy>", '<deny send_interface="org.fedoraproject.FirewallD1.zone"/></policy>'
    )
    rules.write_text(refusing)
    bus = "org.freedesktop.DBus"
    machine.call("busctl", "--system", "call", bus, "/org/freedesktop/DBus", bus, "ReloadConfig")
    with machine.firewalld(), Pydd.started() as engine, Docker(host=engine.host) as docker:
        engine.stop()
        engine.start(before=machine.inside)
        docker("network", "create", docker.name("refused"))
        docker("network", "rm", docker.name("refused"))
        engine.stop()
        assert "do it by hand: firewall-cmd --zone=trusted --change-interface=" in engine.output
        engine.start()
