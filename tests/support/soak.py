"""Containers that print for as long as it takes, with clients that come, leave, stop reading and die."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.docker import Docker, compile_static
from support.pydd import Pydd
from support.staging import wait_until

PRINTER = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
static volatile sig_atomic_t over;
static void end(int s) { over = 1; }
/* printer COUNTER LINES_PER_SECOND POLITE: numbers lines, and writes how many were written whole to COUNTER. */
int main(int argc, char **argv) {
    int fd = open(argv[1], O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 8);
    volatile uint64_t *count = mmap(0, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    long rate = atol(argv[2]), batch = rate > 100 ? rate / 100 : 1;
    struct sigaction action = {.sa_handler = atoi(argv[3]) ? end : SIG_IGN};
    sigaction(SIGTERM, &action, 0);
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    static char buffer[1 << 16];
    for (uint64_t number = 0; !over;) {
        size_t size = 0;
        uint64_t last = number + batch;
        for (uint64_t each = number + 1; each <= last; each++)
            size += sprintf(buffer + size, "%llu a line that a container has printed\n", (unsigned long long)each);
        for (size_t at = 0; at < size;) {
            ssize_t done = write(1, buffer + at, size - at);
            if (done < 0) { if (over) return 0; continue; }
            at += done;
        }
        *count = number = last;
        next.tv_nsec += 1000000000L / rate * batch;
        while (next.tv_nsec >= 1000000000L) { next.tv_nsec -= 1000000000L; next.tv_sec++; }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, 0);
    }
    return 0;
}
"""
RATES = (1, 1, 2, 5, 10, 10, 20, 50, 50, 100, 100, 200, 200, 500, 500, 1000, 1000, 2000, 5000, 20000)
"""Lines a second of each container."""
GRACE_S = 2
OVERTIME_S = 1.0
"""What a stop or a removal may take beyond its grace, where each program that is ready gets half a processor."""
SAMPLE_INTERVAL_S = 5.0


@dataclass(frozen=True)
class Sample:
    """Resources that the engine's process holds at a moment."""

    memory_kib: int
    descriptors: int
    threads: int
    mounts: int

    @classmethod
    def of(cls, engine: Pydd) -> Sample:
        assert engine.process is not None
        proc = Path(f"/proc/{engine.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line)
        mounts = sum(str(engine.home) in line for line in Path("/proc/self/mountinfo").read_text().splitlines())
        return cls(
            memory_kib=int(status["VmRSS"].split()[0]),
            descriptors=len(list((proc / "fd").iterdir())),
            threads=int(status["Threads"]),
            mounts=mounts,
        )


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass
class Soak:
    """Run of the soak test: its work and its failures."""

    engine: Pydd
    docker: Docker
    image: str
    shared: Path
    seconds: float
    failures: list[str] = field(default_factory=list)
    lines: int = 0
    containers: int = 0
    clients: int = 0
    beyond_s: list[float] = field(default_factory=list)
    """What each stop, kill and removal took beyond its grace."""
    samples: list[Sample] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.before = Sample.of(self.engine)

    @property
    def first_quarter(self) -> list[Sample]:
        """The samples of the first quarter, while the engine warmed up."""
        return self.samples[: max(1, len(self.samples) // 4)]

    def report(self) -> str:
        """Return a short report of the work and the figures."""
        most = [max(getattr(sample, name) for sample in self.samples) for name in Sample.__annotations__]
        ends = sorted(self.beyond_s)
        parts = [self.samples[len(self.samples) * number // 8] for number in range(8)]
        return "\n".join(
            (
                f"{self.containers} containers, {self.clients} clients, {self.lines} lines compared with the log",
                f"stop, kill, removal beyond their grace: median {ends[len(ends) // 2]:.2f} s, most {ends[-1]:.2f} s",
                f"before it {self.before}",
                f"most {Sample(*most)}",
                f"memory by eighths, MiB: {' '.join(str(part.memory_kib >> 10) for part in parts)}",
                f"{len(self.failures)} failures",
                *self.failures[:20],
            )
        )

    def ask(self, method: str, path: str, body: object = None, seconds: float = 60.0) -> tuple[int, bytes]:
        """Ask the engine itself: the docker CLI takes longer than what is measured."""
        connection = UnixConnection(str(self.engine.config.socket_path), seconds)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            with self._lock:
                self.failures.append(what)

    def timed(self, method: str, path: str, grace: float, what: str) -> None:
        """Run an operation that must end in time."""
        crowd = os.getloadavg()[0] / (2 * (os.cpu_count() or 1))
        allowed = grace + OVERTIME_S * max(1.0, crowd)
        begun = time.monotonic()
        try:
            status, body = self.ask(method, path)
        except TimeoutError:
            self.expect(False, f"{what}: hangs")
            return
        took = time.monotonic() - begun
        with self._lock:
            self.beyond_s.append(took - grace)
        self.expect(status in {204, 304}, f"{what}: {status} {body!r}")
        self.expect(took <= allowed, f"{what}: took {took:.1f} s, {allowed:.1f} s are allowed")

    def run(self) -> None:
        """Run all containers at once, and sample the engine meanwhile."""
        until = time.monotonic() + self.seconds
        threads = [threading.Thread(target=self._drive, args=(number, until)) for number in range(len(RATES))]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(SAMPLE_INTERVAL_S / len(threads))
            self.samples.append(Sample.of(self.engine))

    def _drive(self, number: int, until: float) -> None:
        choice = random.Random(number)
        while time.monotonic() < until:
            try:
                self._run_container(number, choice, min(choice.uniform(3, 40), until - time.monotonic() + 1))
            except Exception:  # noqa: BLE001 - a failure of the run, reported at its end
                self.expect(False, traceback.format_exc())

    def _run_container(self, number: int, choice: random.Random, seconds: float) -> None:
        """The life of one container and of its clients."""
        rate = RATES[number]
        self.containers += 1
        name = f"{self.docker.prefix}-s{number}-{self.containers}"
        polite = choice.random() < 0.5
        counter = self.shared / name
        body = {
            "Image": self.image,
            "Cmd": ["/printer", f"/shared/{name}", str(rate), str(int(polite))],
            "HostConfig": {
                "Binds": [f"{self.shared}:/shared"],
                "NetworkMode": choice.choice(("none", "bridge")),
            },
        }
        status, answer = self.ask("POST", f"/containers/create?name={name}", body)
        self.expect(status == 201, f"create: {status} {answer!r}")
        for _ in range(choice.randrange(3)):
            self._vanish(name)
        status, answer = self.ask("POST", f"/containers/{name}/start")
        self.expect(status == 204, f"start: {status} {answer!r}")
        with contextlib.ExitStack() as stack:
            if choice.random() < 0.4:
                stack.enter_context(self._followed(name))
            self._clients(name, choice, time.monotonic() + seconds, stack)
            end = choice.choice(["stop", "stop", "kill", "rm"])
            if end == "rm":
                self.timed("DELETE", f"/containers/{name}?force=1", 0.0, f"rm -f at {rate} lines/s")
                return
            if end == "stop":
                grace = 0.0 if polite else GRACE_S
                self.timed("POST", f"/containers/{name}/stop?t={GRACE_S}", grace, f"stop at {rate} lines/s")
            else:
                self.timed("POST", f"/containers/{name}/kill", 0.0, f"kill at {rate} lines/s")
        self._compare(name, rate, struct.unpack("Q", counter.read_bytes())[0])
        self.timed("DELETE", f"/containers/{name}?force=1", 0.0, f"rm of an ended one at {rate} lines/s")
        counter.unlink()

    def _compare(self, name: str, rate: int, printed: int) -> None:
        """Hold the log to what was printed: all of it, and at most what a kill kept from being counted."""
        log = subprocess.run(["docker", "-H", self.engine.host, "logs", name], capture_output=True, check=False).stdout
        lines = log.split(b"\n")
        numbers = [int(line.split(b" ", 1)[0]) for line in lines[:-1]]
        whole = numbers == list(range(1, len(numbers) + 1))
        most = printed + max(1, rate // 100)
        self.expect(whole, f"{name}: lines are missing or twice among {len(numbers)}")
        self.expect(printed <= len(numbers) <= most, f"{name}: {printed} lines printed, {len(numbers)} in the log")
        with self._lock:
            self.lines += len(numbers)

    def _clients(self, name: str, choice: random.Random, until: float, stack: contextlib.ExitStack) -> None:
        """Attach and detach; clients that never read, or are stopped, stay until after the container's end."""
        cli = ["docker", "-H", self.engine.host]
        joined: list[subprocess.Popen[bytes]] = []

        def attach() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*cli, "attach", "--sig-proxy=false", name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

        while (left := until - time.monotonic()) > 0:
            self.clients += 1
            match choice.randrange(6):
                case 0:
                    self._vanish(name)
                case 1:  # reads for a moment, and is killed
                    attached = attach()
                    assert attached.stdout is not None
                    os.read(attached.stdout.fileno(), 4096)
                    attached.kill()
                    attached.communicate()
                case 2 if len(joined) < 2:  # never reads
                    joined.append(attach())
                    stack.callback(joined[-1].communicate)
                    stack.callback(joined[-1].kill)
                case 3 if joined:  # is stopped as a whole
                    joined[-1].send_signal(signal.SIGSTOP)
                case 4:
                    done = subprocess.run(
                        [*cli, "exec", name, "/printer-says", "yes"], capture_output=True, check=False
                    )
                    self.expect(done.stdout == b"yes\n", f"exec: {done.stdout!r} {done.stderr!r}")
                case _:
                    status, _body = self.ask("GET", f"/containers/{name}/logs?stdout=1&tail=10")
                    self.expect(status == 200, f"logs: {status}")
            threading.Event().wait(min(left, choice.uniform(0.2, 4)))

    def _vanish(self, name: str) -> None:
        """Attach and disconnect before the response."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.engine.config.socket_path))
            client.sendall(
                f"POST /containers/{name}/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: e\r\n\r\n".encode()
            )

    @contextmanager
    def _followed(self, name: str) -> Iterator[None]:
        """Follow the log meanwhile, and look for gaps in it."""
        command = ["docker", "-H", self.engine.host, "logs", "-f", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as follower:
            assert follower.stdout is not None
            seen = [0]

            def read() -> None:
                assert follower.stdout is not None
                for line in follower.stdout:
                    number = int(line.split(b" ", 1)[0])
                    self.expect(number == seen[0] + 1, f"logs -f {name}: {number} follows {seen[0]}")
                    seen[0] = number

            reading = threading.Thread(target=read)
            reading.start()
            try:
                yield
                reading.join(30)
                self.expect(not reading.is_alive(), f"logs -f {name}: continues after the end")
            finally:
                follower.kill()
                reading.join()


def settled(run: Soak) -> Sample:
    """Wait until the engine has given back what it held for clients and containers, and return what it holds then."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: Sample.of(run.engine).descriptors <= run.before.descriptors + 4)
    return Sample.of(run.engine)


def soak(engine: Pydd, docker: Docker, directory: Path, minutes: float) -> Soak:
    """Run it, and return what came of it, when all containers are gone and the engine has come to rest."""
    printer = compile_static(PRINTER, directory / "printer")
    says = compile_static(
        "#include <stdio.h>\nint main(int c, char **v) { puts(v[1]); return 0; }\n", directory / "says"
    )
    image = docker.image("soak", {"printer": printer, "printer-says": says}, 'CMD ["/printer"]')
    shared = directory / "shared"
    shared.mkdir()
    run = Soak(engine, docker, image, shared, minutes * 60)
    run.run()
    return run
