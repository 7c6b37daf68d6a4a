"""Running `pyd debug` as its users do, and looking at what it leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyd_core.debug.toolbox import store
from pyd_core.linux.process import is_alive
from pyd_debugimages.packs import BASE
from support.docker import Docker
from support.missing import missing

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def command(*arguments: str, host: str = "unix:///var/run/docker.sock") -> list[str]:
    """The command line of `pyd debug` with these arguments."""
    return [sys.executable, "-m", "pyd_tui", "-H", host, "debug", *arguments]


def ready_toolbox() -> Path:
    """The base toolbox, made on the first run on this machine and kept for the next."""
    if os.geteuid() != 0:
        missing("root (run: sudo sh test.sh)")
    root = store.store_root()
    there = store.find(BASE, root)
    return Path(there) if there else store.build(BASE, Path(root), lambda *_: None)


def main_pid(docker: Docker, name: str) -> int:
    """A container's main process."""
    return int(docker.inspect(name)["State"]["Pid"])


def sessions_left(patience: float = 60) -> list[str]:
    """Cgroups whose session has ended, in any version and hierarchy.

    Args:
        patience: Seconds that those of other sessions on this machine have, which their clients are just removing.
    """
    here = str(Path("/proc/self/ns/pid").stat().st_ino)
    deadline = time.monotonic() + patience
    while True:
        cgroups = [path for pattern in ("pyd-*-*", "*/pyd-*-*") for path in Path("/sys/fs/cgroup").glob(pattern)]
        names = [(path, re.fullmatch(f"pyd-{here}-([0-9]+)-([0-9]+)", path.name)) for path in cgroups]
        left = [str(path) for path, name in names if name and not is_alive(int(name[1]), int(name[2]))]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)  # a hierarchy has no event for a group's removal


class Builtins:
    """Calls builtins on one target, as `pyd debug NAME -b LINE`."""

    def __init__(self, debug: Run, name: str) -> None:
        self._debug = debug
        self.name = name

    def __call__(self, line: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a line and return what came of it."""
        return self._debug(self.name, "-b", line, **options)

    def json(self, line: str, *, code: int = 0) -> Any:
        """Run a line with `--json` and return the document."""
        done = self(f"{line} --json")
        assert done.returncode == code, (line, done.returncode, done.stderr)
        return json.loads(done.stdout)
