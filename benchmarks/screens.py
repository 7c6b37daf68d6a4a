"""The dashboard's promises: fleets of any size, keys under load, deaths on the screen."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ground import PYD, QUIET, Ground
from measure import Skip
from row import Row
from terminal import Meter

SETTLE_S = 4.0
"""Seconds for a screen to fill before it is watched."""
IDLE = 20.0
"""Seconds for which a screen at rest is watched."""
KEYS = 60
"""Key presses that are timed."""
DEATHS = 20
"""Containers that are killed while the dashboard is open."""
QUIET_S = 3.0
"""Seconds without more than `BREATH` of a core after which a program has nothing to do any more."""
BREATH = 0.05
WORK = "while :; do /bin/busybox seq 1 $((RANDOM % 2000)) >/dev/null; /bin/busybox usleep 400000; done"
"""Some thousandths of a core, never the same from one second to the next, as containers use that serve requests."""
TALK = "while :; do /bin/busybox seq 1 500; /bin/busybox usleep 93000; done"
"""Prints about 5,000 lines a second: 500, then a tenth of a second with what printing took."""


def high(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def fifty(ground: Ground) -> list[Row]:
    """Measure against `docker stats`: the first row, and the load of 50 busy containers."""
    ground.crowd(50)
    names = ground.docker("ps", "--format", "{{.Names}}").split()
    pattern = "|".join(re.escape(name[:12]) for name in names)  # narrow columns cut the rest
    firsts: dict[str, list[float]] = {"docker": [], "pyd": []}
    for _ in range(max(3, ground.rounds // 4)):
        for program in (["docker", "stats"], [PYD]):
            with Meter(program) as meter:
                firsts[Path(program[0]).name].append(meter.until(pattern))
    workers = [
        ground.docker.run(f"worker{number:02}", ground.image, "/bin/sh", "-c", WORK, options=QUIET)
        for number in range(50)
    ]
    with Meter(["docker", "stats", *workers]) as stats:
        stats.until(pattern)
        stats.watch(SETTLE_S)
        theirs = stats.watch(10)
    with Meter([PYD]) as ours:
        ours.until(pattern)
        ours.send("/worker\r")
        ours.watch(SETTLE_S)
        ours.read()
        before = _shares(ours)
        busy = ours.watch(IDLE)
        ours.read()
        after = _shares(ours)
        ours.send("qq")
    ground.docker("rm", "-f", *workers)
    if not after or after == before:
        raise Skip(f"no figures moved on the screen: {before} and then {after}")
    rate, their_rate = busy.output / busy.seconds / 1e3, theirs.output / theirs.seconds / 1e3
    load, their_load = busy.cpu / busy.seconds * 100, theirs.cpu / theirs.seconds * 100
    their_first, first = (statistics.median(values) * 1e3 for values in firsts.values())
    rival, note = "docker stats", f"{len(after)} rows with figures on the screen"
    return [
        Row("dashboard: first row on the screen", first, "ms", rival, their_first, limit=600),
        Row("dashboard, 50: to the terminal, stats", rate, "kB/s", rival, their_rate, limit=4, note=note),
        Row("dashboard, 50: processor, stats", load, "% of a core", rival, their_load, limit=10),
        Row("dashboard, 50: memory", busy.memory / 2**20, "MiB", rival, theirs.memory / 2**20, limit=150),
    ]


def _shares(meter: Meter) -> list[str]:
    """Return the values in the column of processor use."""
    figures = (re.search(r"worker\d\d +(\d[\d.]*)", line) for line in meter.screen.display)
    return [match[1] for match in figures if match is not None]


def two_hundred(ground: Ground) -> list[Row]:
    """Measure the first full list, and the load at rest; other work on the same engine counts."""
    ground.crowd(200)
    count = len(ground.docker("ps", "-q").split())
    firsts = []
    for _ in range(max(3, ground.rounds // 4)):
        with Meter([PYD]) as ours:
            firsts.append(ours.until(rf"● {count} "))
            ours.send("q")
    with Meter([PYD]) as ours:
        ours.until(rf"● {count} ")
        ours.watch(SETTLE_S)
        ours.send("?")
        ours.until("Keys and commands")
        ours.calm(QUIET_S, BREATH)
        idle = ours.watch(IDLE)
        ours.send("qq")
    return [
        Row("dashboard, 200: first full list", statistics.median(firsts) * 1e3, "ms", limit=600),
        Row("dashboard, 200: to the terminal at rest", idle.output, f"bytes/{IDLE:.0f} s", limit=0),
        Row("dashboard, 200: processor at rest", idle.cpu / idle.seconds * 100, "% of a core", limit=1),
        Row("dashboard, 200: memory", idle.memory / 2**20, "MiB", limit=150),
    ]


@contextmanager
def recorded(count: int) -> Iterator[str]:
    """Start a recorded engine with this number of containers."""
    with tempfile.TemporaryDirectory(prefix="pydb-", dir="/tmp") as directory:
        path = f"{directory}/docker.sock"
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("recorded.py")), path, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        try:
            server.stdout.readline()
            yield f"unix://{path}"
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def _many(ground: Ground, count: int, limit: float | None) -> list[Row]:
    firsts = []
    with recorded(count) as host:
        for _ in range(max(3, ground.rounds // 4)):
            with Meter([PYD, "-H", host]) as ours:
                firsts.append(ours.until(rf"● {count // 10} "))
                ours.send("q")
        with Meter([PYD, "-H", host]) as ours:
            ours.until(rf"● {count // 10} ")
            known = ours.calm(QUIET_S, BREATH)  # every container is inspected once
            idle = ours.watch(IDLE)
            ours.send("q")
    name, note = f"dashboard, {count:,} recorded", f"all is known of each after {known:.0f} s"
    return [
        Row(f"{name}: first full list", statistics.median(firsts) * 1e3, "ms", limit=limit, note=note),
        Row(f"{name}: memory", idle.memory / 2**20, "MiB", limit=150),
        Row(f"{name}: to the terminal at rest", idle.output, f"bytes/{IDLE:.0f} s", limit=0),
        Row(f"{name}: processor at rest", idle.cpu / idle.seconds * 100, "% of a core", limit=1),
    ]


def thousands(ground: Ground) -> list[Row]:
    """Measure more containers than this machine could run, a tenth of them running."""
    return [*_many(ground, 1_000, 1500), *_many(ground, 10_000, None)]


def keys(ground: Ground) -> list[Row]:
    """Measure keys typed while a log prints 5,000 lines a second."""
    name = ground.container("talker", "/bin/sh", "-c", TALK)
    took = []
    with Meter([PYD]) as ours:
        ours.until(r"● \d+ ")
        ours.send(f"/{name}")
        ours.until(rf"/ {name}▏")
        ours.send("\rl")
        ours.until(r"Logs +\S+talker.*following")
        ours.watch(SETTLE_S)
        ours.send("&")
        ours.until("& ▏")
        for typed in range(1, KEYS + 1):
            begun = time.perf_counter()
            ours.send("z")
            took.append(ours.until(rf"& z{{{typed}}}▏") + ours.begun - begun)
        load = ours.watch(5)
        ours.send("\x1bqq")
    note = f"{load.cpu / load.seconds * 100:.0f} % of a core, {load.memory >> 20} MiB"
    return [Row("dashboard: key echo, 5,000 lines/s, p95", high(took) * 1e3, "ms", limit=100, note=note)]


def deaths(ground: Ground) -> list[Row]:
    """Measure from the engine's event to the screen."""
    sleeper = ("/bin/busybox", "sleep", "9999")
    names = [ground.docker.run(f"doomed{number:02}", ground.image, *sleeper, options=QUIET) for number in range(DEATHS)]
    seen: dict[str, float] = {}
    begun = time.time()
    with Meter([PYD]) as ours:
        ours.until(r"● \d+ ")
        ours.send("/doomed\r")
        ours.until("doomed19")
        ours.watch(2.0)
        for name in names:
            ours.read()
            ground.docker("kill", name)
            stamp = ours.begun + ours.until(rf"exited 137 +{name}")
            seen[name] = stamp + time.time() - time.perf_counter()
        ours.send("qq")
    took = [seen[name] - died for name, died in _died(ground, begun).items() if name in seen]
    ground.docker("rm", "-f", *names)
    median = f"median {statistics.median(took) * 1e3:.0f} ms of {len(took)}"
    return [Row("dashboard: death to the screen, p95", high(took) * 1e3, "ms", limit=150, note=median)]


def _died(ground: Ground, since: float) -> dict[str, float]:
    """Return the times of deaths in the engine's events: seconds since the epoch by name."""
    events = ground.docker(
        *("events", "--since", f"{since:.3f}", "--until", f"{time.time():.3f}"),
        *("--filter", "event=die", "--format", "{{.Actor.Attributes.name}} {{.TimeNano}}"),
    )
    return {name: int(stamp) / 1e9 for name, stamp in map(str.split, events.splitlines())}


def dashboard(ground: Ground) -> list[Row]:
    """All of them."""
    rows: list[Row] = []
    for part in (fifty, keys, deaths, thousands, two_hundred):
        rows += part(ground)
    return rows
