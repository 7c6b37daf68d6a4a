"""An ssh server for one test run: own port on localhost, own host key, own authorised key, nothing of the host's."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

TIMEOUT_S = 120.0
"""Seconds until a server that doesn't listen counts as broken."""


@dataclass
class Sshd:
    """Lets the user who runs the tests in; `client` is an ssh command line that knows host and key."""

    directory: Path
    options: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"ssh://{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}"

    @property
    def client(self) -> str:
        """An ssh command line, as `PYD_SSH` takes it."""
        return f"ssh -F {self.directory / 'client'}"

    def configure(self, **options: str) -> str:
        """Write another client configuration, with some options changed, and return its command line."""
        file = self.directory / f"client-{len(list(self.directory.glob('client*')))}"
        self._write_client(file, options)
        return f"ssh -F {file}"

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in ("host", "user"):
            key = self.directory / name
            if not key.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        public = (self.directory / "host.pub").read_text()
        (self.directory / "known").write_text(f"[127.0.0.1]:{self.port} {public}")
        self._write_client(self.directory / "client", {})
        settings = {
            "Port": str(self.port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(self.directory / "host"),
            "AuthorizedKeysFile": str(self.directory / "user.pub"),
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            **self.options,
        }
        config = self.directory / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        Path("/run/sshd").mkdir(exist_ok=True)  # its privilege separation needs it
        with (self.directory / "log").open("wb") as log:
            command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_until_it_listens()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _write_client(self, file: Path, changed: dict[str, str]) -> None:
        settings = {
            "IdentityFile": str(self.directory / "user"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.directory / "known"),
            "GlobalKnownHostsFile": "none",
            **changed,
        }
        file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    def _wait_until_it_listens(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"sshd does not start: {(self.directory / 'log').read_text()}")
            time.sleep(0.02)  # it has no way to say that it listens
