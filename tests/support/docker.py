"""A corner of a real Docker Engine for one test run: unique names, images made without a registry, all removed after.

Tests run beside a developer's own containers, so every object carries this run's label and prefix, and clean-up goes by
those alone.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import tarfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.missing import missing

LABEL = "pyd.test"

QUICK = ("--stop-signal", "KILL")
"""Options of a container whose removal shouldn't wait for a main process that ignores SIGTERM, as Podman does."""
LONE = ("--network", "none", *QUICK)
"""The same without a network, which takes time to set up."""

SLEEPER = """
#include <signal.h>
#include <unistd.h>
static void end(int s) { _exit(s == SIGTERM ? 0 : 128 + s); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); for (;;) pause(); }
"""
"""The smallest polite main process: sleeps, and ends at once on SIGTERM."""


def compile_static(source: str, out: Path) -> Path:
    """Compile a C program that needs nothing from the image it runs in."""
    code = out.with_suffix(".c")
    code.write_text(source)
    subprocess.run(["gcc", "-static", "-Os", "-s", "-o", out, code], check=True)
    return out


def busybox_files(source: Path = Path("/bin/busybox")) -> dict[str, bytes | Path | str]:
    """Busybox and a link for each of its applets."""
    if not source.exists():
        missing("busybox-static")
    applets = subprocess.run([source, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links: dict[str, bytes | Path | str] = {f"bin/{applet}": "-> busybox" for applet in applets if applet != "busybox"}
    return {"bin/busybox": source, **links}


def layer(
    files: dict[str, bytes | Path | str], directories: tuple[str, ...] = (), modes: dict[str, int] | None = None
) -> bytes:
    """Pack a root file system: contents, a host file to copy, or `-> target` for a symlink; mode 755 by default."""
    modes = modes or {}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in directories:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, modes.get(name, 0o755)
            tar.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str) and content.startswith("-> "):
                entry.type, entry.linkname = tarfile.SYMTYPE, content[3:]
                tar.addfile(entry)
                continue
            data = content.read_bytes() if isinstance(content, Path) else content
            data = data.encode() if isinstance(data, str) else data
            entry.size, entry.mode = len(data), modes.get(name, 0o755)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()[: tar.offset]  # padding makes Podman fail now and then


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment and more, also on a thread: pytest adds and removes the running test in it."""
    return {name: value for name in [*os.environ] if (value := os.environ.get(name)) is not None} | more


@dataclass
class Docker:
    """Commands of the docker CLI, with this run's prefix and label; a context manager that removes all it made."""

    host: str = "unix:///var/run/docker.sock"
    command: tuple[str, ...] = ("docker",)
    probe: tuple[str, ...] = ()
    """What runs a container's health probe, by name, where the engine leaves that to a service manager."""
    prefix: str = field(default_factory=lambda: f"pydt{os.getpid()}-{uuid.uuid4().hex[:6]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.remove_all()

    def name(self, short: str) -> str:
        """Return this run's full name for a short one."""
        return f"{self.prefix}-{short}"

    def __call__(self, *arguments: str, stdin: bytes | None = None, check: bool = True) -> str:
        """Run a docker command and return what it printed."""
        done = subprocess.run(
            [*self.command, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=environment(DOCKER_HOST=self.host),
        )
        if check and done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace").strip()

    def image(
        self,
        short: str,
        files: dict[str, bytes | Path | str],
        *changes: str,
        directories: tuple[str, ...] = (),
        modes: dict[str, int] | None = None,
    ) -> str:
        """Make an image from files and Dockerfile-like changes (`CMD ["/app"]`), and return its name."""
        full = f"{self.name(short)}:1"
        options = [part for change in (*changes, f"LABEL {LABEL}={self.prefix}") for part in ("-c", change)]
        self("import", *options, "-", full, stdin=layer(files, directories, modes))
        return full

    def _container(self, verb: tuple[str, ...], short: str, *arguments: str) -> str:
        """Make a container and return its full name; a number is added where another test of this run has it."""
        for number in itertools.count(1):
            full = self.name(short if number == 1 else f"{short}-{number}")
            try:
                self(*verb, "--name", full, "--label", f"{LABEL}={self.prefix}", *arguments)
            except AssertionError as error:
                if "is already in use" in str(error) and number < 50:
                    continue
                raise
            return full
        raise AssertionError("unreachable")

    def run(self, short: str, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Start a container in the background and return its full name."""
        return self._container(("run", "-d"), short, *options, image, *command)

    def create(self, short: str, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Make a container without starting it and return its full name."""
        return self._container(("create",), short, *options, image, *command)

    def inspect(self, name: str) -> Any:
        """Return a container's inspect document."""
        return json.loads(self("inspect", name))[0]

    def remove_all(self) -> None:
        """Remove every container, network, volume and image of this run."""
        mine = f"label={LABEL}={self.prefix}"
        for listing, removal in (
            (("ps", "-aq", "--filter", mine), ("rm", "-f", "-v")),
            (("network", "ls", "-q", "--filter", mine), ("network", "rm")),
            (("volume", "ls", "-q", "--filter", mine), ("volume", "rm", "-f")),
            (("images", "-q", "--filter", mine), ("rmi", "-f")),
        ):
            before: list[str] = []
            while (objects := sorted(set(self(*listing, check=False).split()))) and objects != before:
                self(*removal, *objects, check=False)
                before = objects  # an image goes only after those that were built from it
