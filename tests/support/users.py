"""Users made for one test run, with ranges of subordinate ids, and removed with all that they run."""

from __future__ import annotations

import grp
import os
import pwd
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.podman import TIMEOUT_S


@contextmanager
def user(home: Path) -> Iterator[str]:
    """Create a new user for the length of the block, and yield its name.

    Args:
        home: Their home directory, which is neither made nor removed.
    """
    name, number = f"pydr{uuid.uuid4().hex[:8]}", _free_id()
    # A system user has no ranges of subordinate ids unless they are asked for.
    # The number is nobody's: all of the user's processes are ended, and a container's user may be called 1000 too.
    useradd = ["useradd", "--uid", str(number), "--user-group", "--no-create-home", "--home-dir", str(home), name]
    subprocess.run(useradd, check=True, capture_output=True)
    try:
        yield name
    finally:
        _end_all_of(number)
        subprocess.run(["userdel", name], check=True, capture_output=True)


def _free_id() -> int:
    taken = {user.pw_uid for user in pwd.getpwall()} | {group.gr_gid for group in grp.getgrall()}
    while (number := random.randrange(40_000, 60_000)) in taken or any(
        _is_of(path, number) for path in Path("/proc").glob("[0-9]*")
    ):
        pass
    return number


def _end_all_of(uid: int) -> None:
    """End what holds the user's namespaces, and wait for it: `userdel` refuses a user who has processes."""
    deadline = time.monotonic() + TIMEOUT_S
    while pids := [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of(path, uid)]:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert time.monotonic() < deadline, f"processes {pids} stay"
        time.sleep(0.02)  # they are no children of this process


def _is_of(path: Path, uid: int) -> bool:
    with suppress(OSError):
        return path.stat().st_uid == uid
    return False
