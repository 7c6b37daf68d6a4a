"""A Podman service of a user who isn't root, made for one test run and removed with all that is theirs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.connections import Way, as_user
from support.docker import Docker
from support.missing import missing
from support.podman import TIMEOUT_S
from support.users import user

NEEDED = ("podman", "runc", "newuidmap", "useradd", "setpriv")


@dataclass(frozen=True)
class Rootless:
    """The service's user and address.

    Attributes:
        name: The user.
        home: Their folder.
    """

    name: str
    home: Path

    @property
    def uid(self) -> int:
        """The user's number."""
        return pwd.getpwnam(self.name).pw_uid

    @property
    def socket(self) -> Path:
        """The socket of the service."""
        return self.home / "podman.sock"

    @property
    def way(self) -> Way:
        """`pyd` as that user, on their own engine."""
        before = (*as_user(self.socket, self.home, self.uid), f"XDG_RUNTIME_DIR={self.home}/run")
        return Way("rootless", f"unix://{self.socket}", before)

    def corner(self) -> Docker:
        """A corner of it for the docker CLI."""
        return Docker(host=f"unix://{self.socket}")

    def podman(self, *arguments: str) -> list[str]:
        """A podman command line of that user's."""
        who = ("setpriv", "--reuid", str(self.uid), "--regid", str(self.uid), "--clear-groups")
        variables = (f"HOME={self.home}", f"TMPDIR={self.home}/run", f"XDG_RUNTIME_DIR={self.home}/run")
        runtime = ("--runtime", shutil.which("runc") or "runc", "--cgroup-manager=cgroupfs")
        return [
            *who,
            "env",
            "-i",
            f"PATH={os.environ['PATH']}:/usr/sbin:/sbin",
            *variables,
            "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
            "podman",
            *runtime,
            *arguments,
        ]


@contextmanager
def rootless() -> Iterator[Rootless]:
    """Give a rootless Podman as long as the block lasts."""
    for program in NEEDED:
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            missing(f"{program} (sh test.sh installs it)")
    home = Path(tempfile.mkdtemp(prefix="pydr-", dir="/tmp"))
    try:
        with user(home) as name:
            yield from _served(Rootless(name, home))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _served(rootless: Rootless) -> Iterator[Rootless]:
    service: subprocess.Popen[bytes] | None = None
    try:
        (rootless.home / "run").mkdir(mode=0o700)
        for directory in (rootless.home, rootless.home / "run"):
            os.chown(directory, rootless.uid, rootless.uid)
        with (rootless.home / "log").open("wb") as log:
            command = rootless.podman("system", "service", "--time=0", f"unix://{rootless.socket}")
            service = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=rootless.home)
        _wait_until_it_answers(rootless, service)
        yield rootless
    finally:
        if service is not None:
            removal = rootless.podman("rm", "--all", "--force", "--time=0")
            subprocess.run(removal, capture_output=True, check=False, cwd=rootless.home)
            service.terminate()
            service.wait()


def _wait_until_it_answers(rootless: Rootless, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    environ = {**os.environ, "DOCKER_HOST": f"unix://{rootless.socket}"}
    while subprocess.run(["docker", "version"], env=environ, capture_output=True, check=False).returncode != 0:
        if service.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"rootless podman does not start: {(rootless.home / 'log').read_text()}")
        time.sleep(0.05)  # it has no way to say that it listens
