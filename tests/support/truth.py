"""The truth about an engine's containers over time, read without pyd: from the engine's list and from cgroup files."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

POLL_INTERVAL_S = 0.2
"""Seconds between two looks."""
KEPT_S = 30.0
"""Seconds for which truths are kept."""

_EXITED = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_HEALTH = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Seen:
    """A container at one moment; the counters are None while it has no processes."""

    state: str
    """As a list shows it: `running`, `exited 3`."""
    health: str
    cpu_ns: int | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """All containers at one moment, by name."""

    at_s: float
    containers: dict[str, Seen]


@dataclass
class Truth:
    """Looks at an engine all the time; a context manager that ends it.

    Args:
        path: The engine's socket.
    """

    path: str
    looks: deque[Look] = field(default_factory=deque)
    _groups: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._connection = UnixConnection(self.path)
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._connection.close()

    def within(self, since_s: float, until_s: float) -> list[Look]:
        """Return the looks of a period, and the last one before it."""
        looks = [look for look in [*self.looks] if look.at_s <= until_s]
        first = next((index for index, look in enumerate(looks) if look.at_s >= since_s), len(looks))
        return looks[max(0, first - 1) :]

    def _run(self) -> None:
        while not self._ended.wait(POLL_INTERVAL_S):
            try:
                before = time.monotonic()
                look = Look(before, dict(self._all(self._get("/containers/json?all=1"))))
            except (OSError, http.client.HTTPException, ValueError):
                self._connection.close()
                continue
            self.looks.append(look)
            while self.looks and self.looks[0].at_s < before - KEPT_S:
                self.looks.popleft()

    def _get(self, path: str) -> Any:
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())

    def _all(self, listed: list[dict[str, Any]]) -> Iterable[tuple[str, Seen]]:
        for entry in listed:
            name, state, status = entry["Names"][0].lstrip("/"), entry["State"], entry["Status"]
            code, health = _EXITED.search(status), _HEALTH.search(status)
            alive = state in {"running", "paused"}
            if state == "exited" and code is not None:
                state = f"exited {code[1]}"
            cpu_ns = memory = None
            if alive and (group := self._group(entry["Id"])) is not None:
                cpu_ns, memory = _read(*group)
            yield name, Seen(state, health[1] if health and alive else "", cpu_ns, memory)

    def _group(self, identity: str) -> tuple[str, str] | None:
        """Return a container's directories for processor time and memory, which its id names."""
        if identity not in self._groups or not os.path.isdir(self._groups[identity][0]):  # noqa: PTH112 - it is hot
            for cpu, memory in (("cpuacct", "memory"), ("unified", "unified"), (".", ".")):
                first, second = (
                    next((str(path) for path in Path("/sys/fs/cgroup", name).glob(f"*/*{identity}*")), "")
                    for name in (cpu, memory)
                )
                if first and second:
                    self._groups[identity] = first, second
                    break
        return self._groups.get(identity)


def _read(cpu: str, memory: str) -> tuple[int | None, int | None]:
    try:
        usage = Path(cpu, "cpuacct.usage")
        if usage.exists():
            stat = Path(memory, "memory.stat").read_text()
            cache = int(re.search(r"^total_inactive_file (\d+)", stat, re.MULTILINE)[1])  # type: ignore[index]
            return int(usage.read_text()), int(Path(memory, "memory.usage_in_bytes").read_text()) - cache
        stat = Path(memory, "memory.stat").read_text()
        cache = int(re.search(r"^inactive_file (\d+)", stat, re.MULTILINE)[1])  # type: ignore[index]
        used = int(re.search(r"^usage_usec (\d+)", Path(cpu, "cpu.stat").read_text(), re.MULTILINE)[1])  # type: ignore[index]
        return used * 1000, int(Path(memory, "memory.current").read_text()) - cache
    except (OSError, TypeError, ValueError):
        return None, None
