"""The engine's start on demand: it signals through a pipe that it listens, and stops when nothing needs it."""

from __future__ import annotations

import os
import socket

from pyd_core.client.endpoint import Endpoint
from pyd_core.daemon.config import DaemonConfig
from pyd_core.errors import EngineUnavailable, NoEngine
from pyd_core.linux.interpreter import module_command

IDLE = 300.0
"""Seconds without running containers and clients after which an engine that was started on demand stops."""


_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
PROGRAM = "pyd_core.embedded"
"""The program: the engine with a recorder of deaths, from a package above this one."""


def answers(config: DaemonConfig) -> bool:
    """Return whether an engine listens on the socket."""
    directory = config.socket_path.parent
    if not config.socket_path.exists():
        return False
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"/proc/self/fd/{fd}/{config.socket_path.name}")  # sun_path has 108 bytes
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def ensure(config: DaemonConfig, *, idle: float = IDLE) -> None:
    """Wait until an engine listens, starting one if there is none.

    Raises:
        EngineUnavailable: It doesn't start; with its own message.
    """
    if answers(config):
        return
    config.run.mkdir(parents=True, exist_ok=True, mode=0o711)
    log_path = config.run / "pydd.log"
    ready, theirs = os.pipe()
    command = module_command(PROGRAM, "--root", str(config.root), "--run", str(config.run))
    command += ["--socket", str(config.socket_path), f"--group={config.group}", "--idle", str(idle)]
    command += ["--ready-fd", str(theirs)]
    if config.runtime:
        command += ["--runtime", config.runtime]
    if config.subnet:
        command += ["--subnet", config.subnet]
    os.set_inheritable(theirs, True)
    try:
        with os.fdopen(os.open(log_path, _LOG_FLAGS, 0o600), "wb") as log:
            os.fchmod(log.fileno(), 0o600)  # version 0.1 made it readable for all users
            actions = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
            null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            # Not subprocess: it outlives this process, and a Popen object warns unless waited for.
            pid = os.posix_spawn(command[0], command, os.environ, file_actions=[null, *actions], setsid=True)
    finally:
        os.close(theirs)
    with os.fdopen(ready, "rb") as pipe:
        if pipe.read(1):
            return
    os.waitpid(pid, 0)
    if answers(config):  # another caller was faster
        return
    lines = [line.removeprefix("pydd: ") for line in log_path.read_text(errors="replace").splitlines() if line.strip()]
    raise EngineUnavailable(
        f"the embedded engine didn't start: {lines[0] if lines else 'it said nothing'}",
        hint=lines[1].strip() if len(lines) > 1 else f"see {log_path}",
        reference="engine-not-started",
    )


def instead_of(missing: NoEngine) -> Endpoint:
    """Start this machine's embedded engine where no other engine was found, and return its endpoint.

    Args:
        missing: The error of choosing an engine.

    Raises:
        NoEngine: This isn't root; only root may start it.
        EngineUnavailable: It doesn't start; with its own message.
    """
    if os.geteuid() != 0:
        raise NoEngine(
            missing.message,
            hint=f"root can start the embedded engine: sudo pyd (sudo pyd daemon --install for all); {missing.hint}",
        )
    config = DaemonConfig()
    ensure(config)
    return Endpoint(url=f"unix://{config.socket_path}", origin="embedded engine")
