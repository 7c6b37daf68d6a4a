"""The ways to an engine on which `pyd debug` needs a helper container, as command lines and environments."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.sshd import Sshd
from support.tls import Certificates, TlsFront

SOCKET = Path("/var/run/docker.sock")
NOBODY = 65534


@dataclass(frozen=True)
class Way:
    """How `pyd` is called, and where from.

    Attributes:
        name: For tests' names.
        host: The engine's address.
        before: What goes before the command: who it is run as.
        environment: Variables beside this process's own.
    """

    name: str
    host: str = f"unix://{SOCKET}"
    before: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        """The command line of `pyd debug` with these arguments."""
        return [*self.before, sys.executable, "-m", "pyd_tui", "-H", self.host, "debug", *arguments]

    def debug(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run `pyd debug` to its end."""
        return subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, check=False, timeout=60, **self.options
        )

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments with which the process starts."""
        return {"env": {**os.environ, **self.environment}, "cwd": "/"}


def as_user(socket: Path, home: Path, uid: int = NOBODY) -> tuple[str, ...]:
    """Return what goes before a command that is run by a user whom the socket's group lets in, and who isn't root.

    The one capability lets the interpreter be read, wherever the tests' own is; it gives no rights over processes.
    """
    program = shutil.which("setpriv")
    assert program is not None
    reading = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search")
    groups = ("--reuid", str(uid), "--regid", str(uid), "--groups", str(socket.stat().st_gid))
    return (program, *groups, "--bounding-set", "-all,+dac_read_search", *reading, "env", f"HOME={home}")


@contextmanager
def ways(directory: Path) -> Iterator[dict[str, Way]]:
    """Give the ways to the Docker Engine of this machine, as long as the block lasts."""
    home = directory / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    directory.chmod(0o755)
    certificates = Certificates.make(directory / "tls")
    me = pwd.getpwuid(os.getuid()).pw_name
    with Sshd(directory / "sshd") as server, TlsFront(SOCKET, certificates) as front:
        tls = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.directory)}
        yield {
            "user": Way("user", before=as_user(SOCKET, home)),
            "ssh": Way("ssh", f"ssh://{me}@127.0.0.1:{server.port}", environment={"PYD_SSH": server.client}),
            "tcp": Way("tcp", f"tcp://localhost:{front.port}", environment=tls),
        }
