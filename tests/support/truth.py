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
LOOK_TIMEOUT_S = 60.0
"""Seconds for the engine to answer a look."""
_STATES = {"start": "running", "unpause": "running", "pause": "paused"}

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
    read_s: float = 0.0
    """When the counters were read."""


@dataclass(frozen=True, slots=True)
class Look:
    """All containers by name, as they were at some moment between the look's start and its end."""

    began_s: float
    ended_s: float
    containers: dict[str, Seen]

    @property
    def at_s(self) -> float:
        """The middle of the time that the look took."""
        return (self.began_s + self.ended_s) / 2


@dataclass(frozen=True, slots=True)
class Change:
    """A state or health that an event of the engine reports, with the time at which it began."""

    at_s: float
    name: str
    state: str = ""
    health: str = ""


@dataclass
class Truth:
    """Looks at an engine all the time; a context manager that ends it.

    Args:
        path: The engine's socket.
    """

    path: str
    looks: deque[Look] = field(default_factory=deque)
    changes: deque[Change] = field(default_factory=deque)
    _groups: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._looked = threading.Condition()
        self._connection, self._events = UnixConnection(self.path), UnixConnection(self.path)
        self._events.request("GET", "/events")
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._look, self._listen)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._ended.set()
        self._events.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._connection.close()
        self._events.close()

    def wait_for_look_after(self, at_s: float) -> None:
        """Wait until a look that began after a moment has ended."""
        with self._looked:
            assert self._looked.wait_for(lambda: self.looks and self.looks[-1].began_s >= at_s, LOOK_TIMEOUT_S)

    def within(self, since_s: float, until_s: float) -> list[Look]:
        """Return the looks that overlap a period, the last one before it and the first one after it.

        What was true at any moment of the period and lasted longer than the looks are apart is in one of them.
        """
        looks = [*self.looks]
        before = [index for index, look in enumerate(looks) if look.ended_s < since_s]
        after = [index for index, look in enumerate(looks) if look.began_s >= until_s]
        return looks[before[-1] if before else 0 : after[0] + 1 if after else len(looks)]

    def changes_within(self, name: str, since_s: float, until_s: float) -> list[Change]:
        """Return what the engine's events report of a container in a period, which looks may have missed."""
        return [change for change in [*self.changes] if change.name == name and since_s <= change.at_s <= until_s]

    def _look(self) -> None:
        while not self._ended.wait(POLL_INTERVAL_S):
            began_s = time.monotonic()
            try:
                containers = dict(self._all(self._get("/containers/json?all=1")))
            except (OSError, http.client.HTTPException, ValueError):
                self._connection.close()
                continue
            with self._looked:
                self.looks.append(Look(began_s, time.monotonic(), containers))
                self._looked.notify_all()
            while self.looks[0].began_s < began_s - KEPT_S:
                self.looks.popleft()

    def _listen(self) -> None:
        for line in self._events.getresponse():
            event = json.loads(line)
            if event.get("Type") != "container":
                continue
            at_s = time.monotonic() - time.time() + event["timeNano"] / 1e9
            attributes = event["Actor"]["Attributes"]
            action, _, health = event["Action"].partition(": ")
            state = _STATES.get(action, "")
            if action == "die":
                state = f"exited {attributes['exitCode']}"
            if state or action == "health_status":
                self.changes.append(Change(at_s, attributes["name"], state, health))
            while self.changes and self.changes[0].at_s < at_s - KEPT_S:
                self.changes.popleft()

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
            yield name, Seen(state, health[1] if health and alive else "", cpu_ns, memory, time.monotonic())

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
