"""A Docker Engine of a test's own, to end and start again; the machine's own is left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from support.docker import Docker, environment

TIMEOUT_S = 120.0
"""Seconds until an engine that doesn't answer counts as broken."""


@dataclass
class Dockerd:
    """An engine on directories and a network of its own; a context manager that takes all of it away.

    Without a network namespace of its own it would take the other engine's bridge for a leftover, and remove it.
    """

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pydd-", dir="/tmp")))
    process: subprocess.Popen[bytes] | None = None
    remap: str = ""
    """The user whose subordinate ids containers have."""
    options: tuple[str, ...] = ("--bridge=none", "--iptables=false", "--ip6tables=false")
    """More options; by default it makes no network."""
    programs: str = field(default_factory=lambda: os.environ.get("PYD_DOCKERD_PROGRAMS", ""))
    """Directories of another release's programs, as on PATH; empty for those of this machine."""

    @classmethod
    def with_containerd_store(cls) -> Self:
        """Return an engine that keeps its images in containerd; the caller starts it."""
        engine = cls()
        config = engine.home / "daemon.json"
        config.write_text(json.dumps({"features": {"containerd-snapshotter": True}}))
        engine.options = (*engine.options, f"--config-file={config}")
        return engine

    @property
    def url(self) -> str:
        """The engine's address."""
        return f"unix://{self.home}/engine.sock"

    def corner(self) -> Docker:
        """A corner of it."""
        return Docker(host=self.url)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
        # One that was killed leaves its directory mounted on itself.
        subprocess.run(["umount", "--quiet", "--recursive", self.home / "data"], capture_output=True, check=False)
        # A container in the engine's own network namespace leaves that mounted.
        subprocess.run(["umount", "--quiet", self.home / "run/netns/default"], capture_output=True, check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def _path(self) -> str:
        return ":".join(part for part in (self.programs, os.environ["PATH"]) if part)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.home.chmod(0o711)  # the root of a user namespace goes through it
        remap = [f"--userns-remap={self.remap}"] if self.remap else []
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec dockerd "$@"', "dockerd",
                 f"--host={self.url}", f"--data-root={self.home}/data", f"--exec-root={self.home}/run",
                 f"--pidfile={self.home}/pid", *self.options, *remap],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(PATH=self._path),
            )  # fmt: skip
        deadline = time.monotonic() + TIMEOUT_S
        while subprocess.run(["docker", "-H", self.url, "version"], capture_output=True, check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"dockerd doesn't start: {(self.home / 'log').read_text()[-2000:]}")
            time.sleep(0.05)  # it reports only to a service manager that it listens

    def inside(self, *command: str) -> None:
        """Run a command in its network namespace."""
        assert self.process is not None
        subprocess.run(["nsenter", f"--net=/proc/{self.process.pid}/ns/net", *command], check=True)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, with the containers it has."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None
