"""A mount namespace with an /etc of its own, for what reads users and their ids there or makes some."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class OwnEtc:
    """The copy, and what runs a command where it is /etc."""

    path: Path
    before: Sequence[str]

    def forget(self, user: str) -> None:
        """Take a user out of all files, with their ids."""
        for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid"):
            file = self.path / name
            if file.exists():
                lines = file.read_text().splitlines(keepends=True)
                file.write_text("".join(line for line in lines if not line.startswith(f"{user}:")))

    def ids(self, user: str) -> tuple[int, int]:
        """The first subordinate user id and group id of a user."""
        entries = []
        for name in ("subuid", "subgid"):
            lines = (self.path / name).read_text().splitlines()
            entries.append(next(int(line.split(":")[1]) for line in lines if line.startswith(f"{user}:")))
        return entries[0], entries[1]

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator[OwnEtc]:
        """Copy this machine's; the namespace is gone after, with all that was mounted in it."""
        subprocess.run(["cp", "-a", "/etc", str(path)], check=True)
        script = 'mount --bind "$0" /etc && echo && exec cat'
        command = ["unshare", "--mount", "sh", "-c", script, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.read(1) == b"\n"
            yield cls(path, ("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"))
