"""An engine whose containers' root is an unprivileged user of the host, by `userns-remap`."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.docker import LONE, Docker, busybox_files
from support.private_etc import OwnEtc
from support.pydd import Pydd

WEB = (1000, 1000)
"""Who has /data in the image."""


class Remapped:
    """An engine with `userns-remap`, and how to start it."""

    def __init__(self, pydd: Pydd, etc: OwnEtc) -> None:
        self.pydd = pydd
        self.etc = etc
        self.settings = pydd.home / "engine.json"

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Remapped]:
        """Give a running one, with ids for the user `default` makes that differ between users and groups."""
        with Pydd.started() as pydd, OwnEtc.create(pydd.home / "etc") as etc:
            pydd.stop()
            pydd.home.chmod(0o711)
            etc.forget("dockremap")
            with (etc.path / "subgid").open("a") as file:
                file.write("nobody-else:100000:70000\n")
            engine = cls(pydd, etc)
            engine.start("default")
            yield engine
            pydd.clear()
            assert engine.mounts() == [str(pydd.config.run / "ids")]

    def start(self, remap: str) -> None:
        self.settings.write_text(json.dumps({"userns-remap": remap}))
        self.pydd.start("--settings", str(self.settings), before=self.etc.before)

    def refused(self, remap: str) -> str:
        self.settings.write_text(json.dumps({"userns-remap": remap}))
        line = [*self.etc.before, *self.pydd.command("--settings", str(self.settings))]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 125, done
        return done.stderr

    @property
    def owner(self) -> tuple[int, int]:
        """The host's ids of a container's root."""
        return self.etc.ids("dockremap")

    def mounts(self) -> list[str]:
        """Return the engine's mount points in its own mount namespace."""
        assert self.pydd.process is not None
        return mounted(self.pydd, Path(f"/proc/{self.pydd.process.pid}/mountinfo"))


def mounted(pydd: Pydd, table: Path) -> list[str]:
    lines = (line.split() for line in table.read_text().splitlines())
    return [fields[4] for fields in lines if str(pydd.home) in fields[4]]


def owned_image(docker: Docker) -> str:
    """Busybox, with a directory that isn't root's."""
    passwd = b"root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n"
    files = {**busybox_files(), "etc/passwd": passwd, "data/seed": b"seed"}
    base = docker.image("base", files, directories=("tmp",), modes={"tmp": 0o1777})
    name = docker.create("owned", base, "chown", "-R", "1000:1000", "/data", options=LONE)
    docker("start", "-a", name)
    engine = f"{docker.name('image')}:1"
    docker("commit", name, engine)
    docker("rm", name)
    return engine


def ran(docker: Docker, image: str, script: str, *options: str) -> str:
    return docker("run", "--rm", *options, image, "sh", "-c", script)


def owner(docker: Docker, name: str, path: str) -> tuple[int, int]:
    """Return a file's owner and group, as the container sees them."""
    uid, gid = docker("exec", name, "stat", "-c", "%u %g", path).split()
    return int(uid), int(gid)


def archived(docker: Docker, *line: str) -> dict[str, tuple[int, int]]:
    """The owners in an archive that a command prints, by name."""
    done = subprocess.run(["docker", "-H", docker.host, *line], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        return {entry.name.removeprefix("./"): (entry.uid, entry.gid) for entry in tar}


def pid(docker: Docker, name: str) -> int:
    pid: int = docker.inspect(name)["State"]["Pid"]
    return pid
