"""A Podman service of a user who isn't root, made for one test run and removed with all that is theirs."""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.docker import Docker
from support.missing import missing
from support.podman import PATIENCE
from support.ways import Way, as_user

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
        """Where the service listens."""
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
        variables = (f"HOME={self.home}", f"XDG_RUNTIME_DIR={self.home}/run", "PODMAN_IGNORE_CGROUPSV1_WARNING=1")
        runtime = ("--runtime", shutil.which("runc") or "runc", "--cgroup-manager=cgroupfs")
        return [
            *who,
            "env",
            "-i",
            f"PATH={os.environ['PATH']}:/usr/sbin:/sbin",
            *variables,
            "podman",
            *runtime,
            *arguments,
        ]


@contextmanager
def rootless() -> Iterator[Rootless]:
    """Gives a rootless Podman as long as the block lasts."""
    for program in NEEDED:
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            missing(f"{program} (sh test.sh installs it)")
    home = Path(tempfile.mkdtemp(prefix="pydr-", dir="/tmp"))
    made = Rootless(f"pydr{uuid.uuid4().hex[:8]}", home)
    # A system user has no ranges of subordinate ids unless they are asked for.
    # The number is nobody's: all of the user's processes are ended, and a container's user may be called 1000 too.
    useradd = ["useradd", "--uid", str(_free_id()), "--user-group", "--no-create-home", "--home-dir", home, made.name]
    subprocess.run(useradd, check=True, capture_output=True)
    service: subprocess.Popen[bytes] | None = None
    try:
        (home / "run").mkdir(mode=0o700)
        for folder in (home, home / "run"):
            os.chown(folder, made.uid, made.uid)
        with (home / "log").open("wb") as log:
            command = made.podman("system", "service", "--time=0", f"unix://{made.socket}")
            service = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home)
        _wait_until_it_answers(made, service)
        yield made
    finally:
        if service is not None:
            removal = made.podman("rm", "--all", "--force", "--time=0")
            subprocess.run(removal, capture_output=True, check=False, cwd=home)
            service.terminate()
            service.wait()
        _end_all_of(made.uid)
        subprocess.run(["userdel", made.name], check=True, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _free_id() -> int:
    taken = {user.pw_uid for user in pwd.getpwall()} | {group.gr_gid for group in grp.getgrall()}
    while (number := random.randrange(40_000, 60_000)) in taken or any(
        _is_of(path, number) for path in Path("/proc").glob("[0-9]*")
    ):
        pass
    return number


def _wait_until_it_answers(made: Rootless, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    environ = {**os.environ, "DOCKER_HOST": f"unix://{made.socket}"}
    while subprocess.run(["docker", "version"], env=environ, capture_output=True, check=False).returncode != 0:
        if service.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"rootless podman does not start: {(made.home / 'log').read_text()}")
        time.sleep(0.05)  # it has no way to say that it listens


def _end_all_of(uid: int) -> None:
    """Ends what holds the user's namespaces, and waits for it: `userdel` refuses a user who has processes."""
    deadline = time.monotonic() + PATIENCE
    while found := [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of(path, uid)]:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert time.monotonic() < deadline, f"processes {found} stay"
        time.sleep(0.02)  # they are no children of this process


def _is_of(path: Path, uid: int) -> bool:
    with suppress(OSError):
        return path.stat().st_uid == uid
    return False
