"""The engine starts on demand and ends when nothing needs it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.daemon import launch, service
from pyd_core.daemon.config import DaemonConfig
from pyd_core.errors import EngineUnavailable, NoEngine
from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.recording import once_it_listens, written


@pytest.fixture
def home(pydd: Pydd) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="pydd-"))
    yield directory
    shutil.rmtree(directory)


def peer(config: DaemonConfig) -> int:
    """The pid of the engine on the socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(config.socket_path))
        return int.from_bytes(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little")


def wait_for_end(pid: int) -> None:
    fd = os.pidfd_open(pid)
    readable, _, _ = select.select([fd], [], [], 30)
    os.close(fd)
    assert readable


@pytest.fixture(autouse=True)
def history(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An engine that is started on demand records deaths."""
    path = home / "history.db"
    monkeypatch.setenv("PYD_HISTORY", str(path))
    return path


def test_it_starts_once_and_ends_when_idle(home: Path):
    config = DaemonConfig(root=home / "root", run=home / "run")
    launch.ensure(config, idle=0.4)
    first = peer(config)
    launch.ensure(config, idle=0.4)
    assert peer(config) == first
    wait_for_end(first)
    assert not launch.answers(config)
    assert Pydd(home).leftovers() == {}


def test_it_records_how_containers_die_and_still_ends_when_idle(home: Path, history: Path):
    config = DaemonConfig(root=home / "root", run=home / "run")
    launch.ensure(config, idle=3)
    engine = peer(config)
    with Docker(host=f"unix://{config.socket_path}") as corner:
        image = corner.image("busybox", busybox_files(), 'CMD ["/bin/sh"]')
        name = once_it_listens(corner, image, history, "dies")
    assert written(history, name)[0].code == 6
    wait_for_end(engine)
    assert Pydd(home).leftovers() == {}


def test_the_reason_of_a_failed_start_is_reported(home: Path):
    config = DaemonConfig(root=home / "root", run=home / "run", runtime="/nosuch/runtime")
    with pytest.raises(EngineUnavailable, match="no OCI runtime") as failed:
        launch.ensure(config)
    assert "install" in failed.value.hint


FIRST_USE = """
mount -t tmpfs tmpfs /run && mkdir -p /var/lib/pyd && mount -t tmpfs tmpfs /var/lib/pyd && cd / &&
"$0" version --json && "$0" ps && ls -l /run/pyd/pyd.sock && cat /run/pyd/pydd.log
"""


def test_the_first_command_on_a_machine_without_an_engine_starts_one(pydd: Pydd):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "XDG_"))}
    apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    pyd = Path(sys.executable).with_name("pyd")
    done = subprocess.run(
        [*apart, "sh", "-c", FIRST_USE, pyd], capture_output=True, text=True, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr
    report, _, rest = done.stdout.partition("\n}\n") if done.stdout.startswith("{\n") else done.stdout.partition("\n")
    assert '"engine"' in report
    assert "NAME" in rest
    assert "srw-rw----" in rest or "srw-------" in rest
    assert "listening on /run/pyd/pyd.sock" in rest


def test_other_users_than_root_get_the_command_that_starts_an_engine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoEngine, match="no engine found") as refused:
        launch.instead_of(NoEngine("no engine found: none exists", hint="name one"))
    assert "sudo pyd daemon --install" in refused.value.hint
    assert refused.value.hint.endswith("name one")


def test_the_units_name_this_installation_and_the_group():
    assert "SocketGroup=wheel\n" in service.render("pyd.socket", group="wheel")
    assert "ExecStart=/opt/50%%/python -I -m pyd_core.embedded\n" in service.render(
        "pyd.service", group="wheel", python="/opt/50%/python"
    )


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.execve(sys.argv[2], sys.argv[2:], {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
"""


def test_a_socket_that_systemd_holds_is_served_and_not_removed(home: Path):
    config = DaemonConfig(root=home / "root", run=home / "run")
    config.run.mkdir()
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(config.socket_path))
        held.listen()
        command = [sys.executable, "-c", AS_SYSTEMD, str(held.fileno()), sys.executable, "-m", "pyd_core.daemon"]
        command += ["--root", str(config.root), "--run", str(config.run)]
        engine = subprocess.Popen(command, pass_fds=[held.fileno()])
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(config.socket_path))
            client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            peer_gone = engine.poll()
        engine.terminate()
        assert (peer_gone, engine.wait()) == (None, 0)
    assert config.socket_path.exists()
