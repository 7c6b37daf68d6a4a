"""An engine of our own for a test run, beside whatever else runs here."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from pyd_core.daemon.config import DaemonConfig
from support.missing import missing


@dataclass
class Pydd:
    """An engine process on directories of its own."""

    TIMEOUT_S: ClassVar[float] = 120.0
    """Seconds in which it must have ended; an engine that hangs says where, and must not stop all other tests."""

    home: Path
    process: subprocess.Popen[bytes] | None = None
    config: DaemonConfig = field(init=False)

    def __post_init__(self) -> None:
        self.config = DaemonConfig(root=self.home / "root", run=self.home / "run")

    @classmethod
    @contextmanager
    def started(cls, disk: Path | None = None) -> Iterator[Pydd]:
        """Give a running engine that is stopped after; nothing of it may be left then.

        Args:
            disk: A file that holds the ext4 file system its data lie on; nothing is written there unless it is synced.
        """
        if os.geteuid() != 0:
            pytest.skip("the engine needs root")
        for program in ("docker", "conmon", "nft", "runc"):
            if shutil.which(program) is None:
                missing(program)
        engine = cls(Path(tempfile.mkdtemp(prefix="pydd-")))
        root = engine.config.root
        if disk is not None:
            root.mkdir()
            subprocess.run(["mount", "-t", "ext4", "-o", "loop,commit=600", str(disk), str(root)], check=True)
        try:
            engine.start()
            try:
                yield engine
            finally:
                engine.clear()
                engine.stop()
        finally:
            if disk is not None:
                subprocess.run(["umount", str(root)], check=True)
            left = engine.leftovers()
        shutil.rmtree(engine.home)
        assert left == {}, left

    def clear(self) -> None:
        """Remove the containers that a test which failed has left: they would outlive the engine."""
        docker = ["docker", "-H", self.host]
        left = subprocess.run([*docker, "ps", "-aq"], capture_output=True, text=True, check=False).stdout.split()
        if left:
            subprocess.run([*docker, "rm", "-f", "-v", *left], capture_output=True, check=False)

    @property
    def host(self) -> str:
        return f"unix://{self.config.socket_path}"

    def command(self, *more: str) -> list[str]:
        """Return the command that starts the engine, with more options."""
        directories = ["--root", str(self.config.root), "--run", str(self.config.run)]
        python = [sys.executable, "-X", "faulthandler"]
        return ["setpriv", "--pdeathsig", "KILL", *python, "-m", "pyd_core.embedded", *directories, *more]

    def start(self, *more: str, before: Sequence[str] = ()) -> None:
        """Start it with more options, by what stands before the command, and wait until it says that it listens."""
        # With its recorder, as it is installed; only where that writes is the test's own.
        history = {**os.environ, "PYD_HISTORY": str(self.home / "history.db")}
        self.process = subprocess.Popen([*before, *self.command(*more)], stderr=subprocess.PIPE, env=history)
        assert self.process.stderr is not None
        self._lines = []
        for line in self.process.stderr:
            self._lines.append(line)
            if b"listening" in line:
                # What it says from now on is read too: a pipe that fills up would stop it in the middle of a line.
                self._drain = threading.Thread(target=self._lines.extend, args=(self.process.stderr,), daemon=True)
                self._drain.start()
                return
        raise AssertionError(b"".join(self._lines).decode())

    def kill(self) -> None:
        """End it the hard way."""
        assert self.process is not None
        self.process.kill()
        self._gone()

    def stop(self) -> None:
        """End it politely."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self._gone()

    def _gone(self) -> None:
        assert self.process is not None
        try:
            self.process.wait(self.TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # it prints what each thread does
            self.process.wait()
            self._drain.join(10)
            raise AssertionError(f"the engine didn't end: {b''.join(self._lines).decode(errors='replace')}") from None
        self._drain.join(10)  # a process that it left behind may hold the pipe
        self.output = b"".join(self._lines).decode(errors="replace")
        if not self._drain.is_alive():
            assert self.process.stderr is not None
            self.process.stderr.close()

    def leftovers(self) -> dict[str, str]:
        """Return what the engine left on the host, by kind; empty when all is gone."""
        config = self.config
        mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(self.home) in line]
        prefixes = (config.prefix("v"), config.prefix("b"), config.bridge)
        links = [name for _, name in socket.if_nameindex() if name.startswith(prefixes)]
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
        groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{config.cgroup}")]
        commands = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.home).encode() in command and b"pytest" not in command:
                    commands.append(command.replace(b"\0", b" ").decode())
        rules = subprocess.run(["iptables", "-w", "-S"], capture_output=True, text=True, check=False).stdout
        leftovers = {
            "mounts": "\n".join(mounts),
            "links": " ".join(links),
            "nft": config.table if config.table in tables else "",
            "iptables": config.bridge if config.bridge in rules else "",
            "cgroups": " ".join(groups),
            "processes": "\n".join(commands),
        }
        return {kind: text for kind, text in leftovers.items() if text}
