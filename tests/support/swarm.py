"""A Docker Engine of its own that can become a swarm without the developer's own engine noticing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from support.docker import Docker
from support.missing import missing

TIMEOUT_S = 120.0
"""Seconds until an engine that doesn't answer counts as broken."""


@dataclass
class SwarmHost:
    """A daemon with store, socket and network namespace of its own: no other engine sees its swarm."""

    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pyds-", dir="/tmp")))
    _daemon: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The engine's address."""
        return f"unix://{self.directory}/docker.sock"

    def __enter__(self) -> Self:
        if shutil.which("dockerd") is None:
            missing("dockerd")
        self._start()
        return self

    def restart(self) -> None:
        """End the daemon and start it again, on the same store."""
        self._stop()
        self._start()

    def _start(self) -> None:
        options = [
            f"--data-root={self.directory}/data",
            f"--exec-root={self.directory}/exec",
            f"--pidfile={self.directory}/docker.pid",
            f"--host={self.url}",
            "--storage-driver=vfs",  # stacks on whatever file system this is
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
        ]
        script = 'ip link set lo up && exec dockerd "$@"'
        with (self.directory / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", script, "dockerd", *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + TIMEOUT_S
        while not self._answers():
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                raise AssertionError(f"dockerd doesn't answer:\n{(self.directory / 'log').read_text()[-3000:]}")
            time.sleep(0.1)

    def _stop(self) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(TIMEOUT_S)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        docker = Docker(self.url)
        docker("swarm", "leave", "--force", check=False)
        if containers := docker("ps", "-aq", check=False).split():
            docker("rm", "-f", *containers, check=False)
        self._stop()
        for line in Path("/proc/self/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{self.directory}/"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        done = subprocess.run(["docker", "-H", self.url, "version"], capture_output=True, check=False)
        return done.returncode == 0
