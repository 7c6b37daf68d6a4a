"""Containers that die, fail or ail in a known way, for the tests of triage."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.docker import SLEEPER, Docker, compile_static

HOG = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* Takes as many MiB as asked for (all there is without an argument), then sleeps. */
int main(int count, char **words) {
    long most = count > 1 ? atol(words[1]) : 1L << 20;
    for (long i = 0; i < most; i++) { char *p = malloc(1 << 20); if (!p) return 9; memset(p, 1, 1 << 20); }
    pause(); return 0;
}
"""
ALLOCATE = """
#include <stdio.h>
#include <stdlib.h>
int main(void) { if (!malloc(1L << 30)) { perror("buffer"); return 1; } return 0; }
"""
FILES = """
#include <fcntl.h>
#include <stdio.h>
int main(void) { for (;;) if (open("/dev/null", O_RDONLY) < 0) { perror("open /dev/null"); return 1; } }
"""
SEGFAULT = "int main(void) { *(volatile int *)8 = 1; return 0; }"
ABORT = """
#include <stdio.h>
#include <stdlib.h>
int main(void) { fprintf(stderr, "Assertion failed: the widget is straight\\n"); abort(); }
"""
DIVIDE = "int main(int count, char **words) { volatile int zero = count - 1; return 5 / zero; }"
ILLEGAL = "int main(void) { __builtin_trap(); }"
BUS = """
#include <fcntl.h>
#include <sys/mman.h>
int main(void) {
    int file = open("/tmp/short", O_RDWR | O_CREAT, 0600);
    char *page = mmap(0, 8192, 3, MAP_SHARED, file, 0);
    page[0] = 1;
}
"""

STATIC = {
    "hog": HOG,
    "allocate": ALLOCATE,
    "files": FILES,
    "segfault": SEGFAULT,
    "abort": ABORT,
    "divide": DIVIDE,
    "illegal": ILLEGAL,
    "bus": BUS,
    "sleeper": SLEEPER,
}

SECCOMP = (
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_KILL_PROCESS"}]}'
)


@dataclass(frozen=True)
class Stage:
    """A way to die.

    Attributes:
        short: Its name in the table.
        cause: The one right cause.
        command: What the container runs.
        options: Of `docker run`.
        act: Done to the running container; None waits for it to end on its own.
        lives: It still runs when it is judged.
        also: The causes that must be named as contributing, and no others.
        says: Words of the sentence or of the first piece of evidence.
    """

    short: str
    cause: str
    command: tuple[str, ...] = ()
    options: tuple[str, ...] = ("--network", "none")
    act: Callable[[Docker, str], object] | None = None
    lives: bool = False
    also: frozenset[str] = frozenset()
    says: str = ""


def shell(script: str) -> tuple[str, ...]:
    """A command line for the image's shell."""
    return ("sh", "-c", script)


TIMEOUT_S = 240.0 if "PYD_VM" in os.environ else 120.0
"""Seconds. Under emulation one start of a container may take ten."""


def wait_until(holds: Callable[[], bool], seconds: float = TIMEOUT_S) -> None:
    """Wait for a condition without an event; fail at the deadline."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it didn't happen in time"
        time.sleep(0.05)


def host_kill(number: int) -> Callable[[Docker, str], None]:
    """Send a signal to the main process from the host, past the engine."""

    def act(corner: Docker, name: str) -> None:
        os.kill(int(corner.inspect(name)["State"]["Pid"]), number)
        corner("wait", name)

    return act


def engine(*words: str) -> Callable[[Docker, str], None]:
    """Run a docker command on the container and wait for its end."""

    def act(corner: Docker, name: str) -> None:
        corner(*words, name)
        corner("wait", name)

    return act


def logged(text: str) -> Callable[[Docker, str], None]:
    """Wait until the container has printed something."""

    def act(corner: Docker, name: str) -> None:
        wait_until(lambda: text in corner("logs", name))

    return act


def said_then(text: str, then: Callable[[Docker, str], None]) -> Callable[[Docker, str], None]:
    """Wait for its word before it acts."""

    def act(corner: Docker, name: str) -> None:
        logged(text)(corner, name)
        then(corner, name)

    return act


def health(status: str) -> Callable[[Docker, str], None]:
    """Wait until its health is such."""

    def act(corner: Docker, name: str) -> None:
        def is_so() -> bool:
            if corner.probe:
                subprocess.run([*corner.probe, name], capture_output=True, check=False)
            return bool(corner.inspect(name)["State"]["Health"]["Status"] == status)

        wait_until(is_so)

    return act


def restarted(times: int) -> Callable[[Docker, str], None]:
    """Wait until it has been restarted so often."""

    def act(corner: Docker, name: str) -> None:
        wait_until(lambda: corner.inspect(name)["RestartCount"] >= times)

    return act


def seen(path: str, key: str, least: int) -> Callable[[Docker, str], None]:
    """Wait until a counter of its cgroup has risen (`cpu/cpu.stat`: a controller of version 1, and its file)."""

    def act(corner: Docker, name: str) -> None:
        controller, _, file = path.partition("/")
        groups = Path(f"/proc/{corner.inspect(name)['State']['Pid']}/cgroup").read_text().splitlines()
        counters = [
            Path("/sys/fs/cgroup") / (controller if names else "") / group.lstrip("/") / file
            for _, names, group in (line.split(":", 2) for line in groups)
            if names in {controller, ""} or controller in names.split(",")
        ]
        counter = next(counter_path for counter_path in counters if counter_path.exists())

        def risen() -> bool:
            rows = dict(line.split() for line in counter.read_text().splitlines() if len(line.split()) == 2)
            return int(rows.get(key, 0)) >= least

        wait_until(risen)

    return act


def make_programs(directory: Path) -> dict[str, Path]:
    """Compile all static programs, and two dynamic ones."""
    programs = {name: compile_static(source, directory / name) for name, source in STATIC.items()}
    plain = directory / "plain.c"
    plain.write_text("int answer(void); int main(void) { return answer(); }")
    library = directory / "answer.c"
    library.write_text("int answer(void) { return 0; }")
    shared = directory / "libanswer.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-soname,libanswer.so.1", "-o", shared, library], check=True)
    programs["dynamic"] = directory / "dynamic"
    subprocess.run(["gcc", "-o", programs["dynamic"], plain, shared], check=True)
    return programs


def loader_files(program: Path) -> dict[str, bytes | Path | str]:
    """The dynamic loader and C library of this machine, where the image would have them."""
    listed = subprocess.run(["ldd", "/bin/true"], capture_output=True, text=True, check=True).stdout
    paths = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    return {**{path.lstrip("/"): Path(path).resolve() for path in paths}, "dynamic": program}


KILL, TERM = signal.SIGKILL, signal.SIGTERM
