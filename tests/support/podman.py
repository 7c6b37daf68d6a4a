"""A Podman service with a store of its own, for one test run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from support.docker import Docker

TIMEOUT_S = 120.0
"""Seconds until a service that doesn't answer counts as broken."""


@dataclass
class Podman:
    """Podman's Docker-compatible API on a socket, with nothing of the developer's own Podman touched.

    The runtime is runc where there is one: crun refuses hosts with cgroup v1 and v2 mounted side by side.
    """

    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pydp-", dir="/tmp")))
    storage: str = "vfs"
    _service: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The engine's address; the path is short because socket paths end at 107 bytes."""
        return f"unix://{self.directory}/podman.sock"

    def command(self, *arguments: str) -> list[str]:
        """A podman command line on this store."""
        options_with_paths = ("root", "runroot", "network-config-dir", "tmpdir")
        options = [f"--{option}={self.directory / option}" for option in options_with_paths]
        runtime = ["--runtime=runc"] if shutil.which("runc") else []
        return [
            "podman",
            *options,
            f"--storage-driver={self.storage}",
            "--cgroup-manager=cgroupfs",
            *runtime,
            *arguments,
        ]

    def __enter__(self) -> Self:
        variables = {"TMPDIR": str(self.directory)}  # it leaves a copy of each image that it is given there
        settings = self.directory / "containers.conf"
        if init := shutil.which("docker-init"):  # it brings none itself
            settings.write_text(f'[containers]\ninit_path = "{init}"\n')
            variables["CONTAINERS_CONF_OVERRIDE"] = str(settings)
        with (self.directory / "log").open("wb") as log:
            self._service = subprocess.Popen(
                self.command("system", "service", "--time=0", self.url),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=os.environ | variables,
                cwd=self.directory,  # conmon notes an out-of-memory kill in a file there
            )
        self._wait_until_it_answers()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        subprocess.run(self.command("rm", "--all", "--force", "--time=0"), capture_output=True, check=False)
        if self._service is not None:
            self._service.terminate()
            self._service.wait()
        self._end_monitors()
        subprocess.run(["umount", "-q", self.directory / f"root/{self.storage}"], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def corner(self) -> Docker:
        """A corner of it; the docker CLI drives Podman as it does Docker Engine."""
        return Docker(host=self.url, probe=tuple(self.command("healthcheck", "run")))

    def _end_monitors(self) -> None:
        """End what watches over finished execs: it stays for five minutes, and would then create the store again."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if os.fsencode(self.directory) in file.read_bytes():
                    os.kill(int(file.parent.name), signal.SIGKILL)

    def _wait_until_it_answers(self) -> None:
        assert self._service is not None
        deadline = time.monotonic() + TIMEOUT_S
        ask = ["docker", "version"]
        environ = {**os.environ, "DOCKER_HOST": self.url}
        while subprocess.run(ask, env=environ, capture_output=True, check=False).returncode != 0:
            if self._service.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"podman's service does not start: {(self.directory / 'log').read_text()}")
            time.sleep(0.05)  # it has no way to say that it listens
