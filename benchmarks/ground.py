"""Environment of the measurements: a Docker Engine with containers, and the programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from measure import Skip

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from support.docker import Docker

PYD = Path(sys.executable).with_name("pyd")
BUSYBOX = Path("/bin/busybox")
QUIET = ("--network", "none")


@dataclass
class Ground:
    """A corner of a Docker Engine; containers are made when a row asks for them first.

    Attributes:
        docker: The corner.
        rounds: How often a row runs each program.
    """

    docker: Docker
    rounds: int
    _images: dict[str, str] = field(default_factory=dict)

    @cached_property
    def image(self) -> str:
        """The image with busybox."""
        if not BUSYBOX.exists():
            raise Skip("missing: busybox-static")
        return self.docker.image("bench", {"bin/busybox": BUSYBOX, "bin/sh": "-> busybox"}, directories=("tmp",))

    def container(self, short: str, *command: str) -> str:
        """Return a running container of this name, created at the first call."""
        if short not in self._images:
            run = command or ("/bin/busybox", "sleep", "86400")
            self._images[short] = self.docker.run(short, self.image, *run, options=QUIET)
        return self._images[short]

    def crowd(self, size: int) -> list[str]:
        """Yield a number of running containers."""
        return [self.container(f"crowd{number:03}") for number in range(size)]


def needs_module(name: str) -> None:
    """Skip a row whose part of pyd isn't there."""
    try:
        there = find_spec(name) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise Skip(f"{name} is not there yet")


@contextmanager
def ground(rounds: int) -> Iterator[Ground]:
    """Yield a corner for one run, removed after it."""
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode != 0:
        raise SystemExit("no Docker Engine answers; sh up.sh starts one")
    with Docker() as corner:
        yield Ground(corner, rounds)
