"""Figures on the screen against the engine's truth, while sixty containers start, stop, crash, fall ill and loop.

`PYD_FIGURES_SECONDS` is how long the screen is compared, 60 by default.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.terminal import Terminal
from support.truth import Look, Truth

SECONDS = float(os.environ.get("PYD_FIGURES_SECONDS", "60"))
WARM_UP_S = 12.0
"""Until restart loops are known as such."""
MAX_AGE_S = 1.0
"""Of anything on the screen that isn't true any more."""
MIN_RATE_S, MAX_RATE_S = 0.7, 1.3
"""Seconds that a shown rate may be measured over."""
BURN = "while :; do n=0; while [ $n -lt 4000 ]; do n=$((n+1)); done; usleep ${PAUSE:-20000}; done"
CRASH = "trap 'exit 3' USR1; while :; do sleep 0.2; done"
ILL = "sleep 100000"
LOOP = "sleep ${LIFE:-0.5}; echo 'fatal: no such file: /etc/app.yml' >&2; exit 1"

HOLD = "while :; do head -c 40000000 /dev/zero > /m/f; sleep 5; rm /m/f; sleep 5; done"
LOOPS = frozenset(f"f{number}" for number in range(55, 60))
LOOP_STATES = frozenset({"running", "restarting", "exited 1"})
MEMORY_SLACK_BYTES = 4 << 20
"""Health probes take so much for moments between two looks at the truth."""

_SHOWN = re.compile(r"(?P<mark>[●○✗‖↻◌…]) +(?P<state>[a-z]+(?: -?\d+)?)\s.*?(?P<name>f\d\d)\b(?P<rest>.*)")
_COUNT = re.compile(r"(?P<mark>[●‖↻○✗]) (?P<count>\d+)(?: |$)")
_PERCENT = re.compile(r"(\d+(?:\.\d)?)%")
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d)?)([BKMG])\b")
_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass
class Findings:
    """Counts of comparisons and of contradictions, with examples of the latter."""

    compared: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)
    _wrong_since: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def report(self) -> str:
        """The figures, with examples of what wasn't true."""
        lines: list[str] = []
        for kind, count in sorted(self.compared.items()):
            lines.append(f"{kind}: {count} compared, {self.wrong[kind]} wrong")
            lines += [f"    {example}" for example in self.examples.get(kind, [])[:6]]
        return "\n".join(lines)

    def note(self, kind: str, true: bool, text: str) -> None:
        self.compared[kind] += 1
        if not true:
            self.wrong[kind] += 1
            self.examples.setdefault(kind, []).append(f"after {time.monotonic() - self.began_s:.1f} s: {text}")

    def note_lasting(self, kind: str, key: str, true: bool, text: str) -> None:
        """Count what has been wrong in all looks of more than a second."""
        now_s = time.monotonic()
        if true:
            self._wrong_since.pop((kind, key), None)
        since_s = now_s if true else self._wrong_since.setdefault((kind, key), now_s)
        self.note(kind, now_s - since_s <= MAX_AGE_S, text)


def churn(docker: Docker, ended: threading.Event) -> None:
    """Start, stop, pause, crash and kill containers, and make them ill and well, until ended."""
    chance = random.Random(7)
    while not ended.wait(0.4):
        name = docker.name(f"f{chance.randrange(20, 40)}")
        action = chance.choice(("start", "start", "stop", "crash", "pause", "unpause", "kill", "ill", "well"))
        patient = docker.name(f"f{chance.randrange(40, 50)}")
        match action:
            case "crash":
                docker("kill", "-s", "USR1", name, check=False)
            case "stop":
                docker("stop", "-t", "1", name, check=False)
            case "ill":
                docker("exec", patient, "rm", "-f", "/tmp/ok", check=False)
            case "well":
                docker("exec", patient, "touch", "/tmp/ok", check=False)
            case _:
                docker(action, name, check=False)


@pytest.fixture
def docker() -> Iterator[Docker]:
    with Pydd.started() as engine, Docker(host=engine.host, prefix="") as corner:
        corner.prefix = "fig"
        image = corner.image("figures", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        probe = ("--health-cmd", "test -e /tmp/ok", "--health-interval", "1s", "--health-retries", "1")

        def start(number: int) -> None:
            options: tuple[str, ...] = LONE
            command = "sleep 100000"
            if number < 8:
                options += ("--cpus", "0.12", "-e", f"PAUSE={1500 * (number + 1)}")
                command = BURN
            elif 20 <= number < 40:
                command = CRASH
            elif 40 <= number < 50:
                options += probe
                command = f"touch /tmp/ok; exec {ILL}"
            elif 50 <= number < 53:
                options += ("--tmpfs", "/m")
                command = HOLD
            elif number >= 55:
                options += ("--restart", "always", "-e", f"LIFE=0.{number - 50}")
                command = LOOP
            corner.run(f"f{number:02}", image, "/bin/sh", "-c", command, options=options)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, range(60)))
        yield corner


@dataclass(frozen=True)
class Period:
    """The states, health and sizes that were true at some moment of a period.

    Attributes:
        truth: The engine's truth.
        since_s: Start of the period.
        until_s: Its end.
    """

    truth: Truth
    since_s: float
    until_s: float
    looks: list[Look] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", self.truth.within(self.since_s, self.until_s))

    def values(self, name: str) -> set[tuple[str, str]]:
        """Return the pairs of state and health that a container had."""
        pairs = [(seen.state, seen.health) for look in self.looks if (seen := look.containers.get(name))]
        first = self.looks[0].began_s if self.looks else self.since_s
        state, health = pairs[0] if pairs else ("", "")
        for change in self.truth.changes_within(name, first, self.until_s):
            state, health = change.state or state, change.health if not change.state else ""
            pairs.append((state, health))
            if change.state == "running":  # a probe of a container that has one is pending from its start on
                pairs.append((state, "starting"))
        return set(pairs)

    def memories(self, name: str) -> list[int]:
        """Return the sizes of a container's memory."""
        seen = (look.containers.get(name) for look in self.looks)
        return [size for known in seen if known is not None and (size := known.memory) is not None]


def rates(looks: list[Look], name: str) -> tuple[float, float] | None:
    """Return the lowest and the highest use over about a second, in percent of a core."""
    points = [
        (seen.read_s, seen.cpu_ns)
        for look in looks
        if (seen := look.containers.get(name)) is not None and seen.cpu_ns is not None
    ]
    measured = [
        (later_ns - cpu_ns) / (later_s - at_s) / 1e7
        for (at_s, cpu_ns), (later_s, later_ns) in itertools.combinations(points, 2)
        if MIN_RATE_S <= later_s - at_s <= MAX_RATE_S and later_ns >= cpu_ns
    ]
    return (min(measured), max(measured)) if measured else None


@dataclass(frozen=True)
class Frame:
    """A screen, and the moments between which it was read."""

    text: str
    began_s: float
    ended_s: float

    @classmethod
    def read(cls, terminal: Terminal) -> Self:
        """Return the screen when it isn't half way through a frame: looked at twice, it is the same."""
        text, frame = "", None
        while frame is None or text != frame.text:
            began_s, text = time.monotonic(), terminal.screen
            if frame is None or text != frame.text:
                frame, text = cls(text, began_s, time.monotonic()), ""
        return frame


def compare(screen: Frame, truth: Truth, findings: Findings, prefix: str) -> None:
    """Compare a screen, which was read between two moments, with what was true up to a second before."""
    truth.wait_for_look_after(screen.ended_s)
    period = Period(truth, screen.began_s - MAX_AGE_S, screen.ended_s)
    longer = Period(truth, screen.began_s - MAX_AGE_S - MAX_RATE_S, screen.ended_s).looks
    rows = [match for line in screen.text.splitlines() if (match := _SHOWN.search(line))]
    shown_cpu: list[tuple[str, float]] = []
    for row in rows:
        name, rest = f"{prefix}-{row['name']}", row["rest"]
        values = period.values(name)
        known, healths = {state for state, _ in values}, {health for _, health in values}
        health = next((word for word in ("unhealthy", "healthy", "starting") if re.search(rf"\b{word}\b", row[0])), "")
        state = row["state"]
        if state in {"healthy", "unhealthy", "starting"}:
            state = "running"
        if row["name"] in LOOPS:  # they change faster than the truth is looked at
            good = state in LOOP_STATES and row["mark"] in "✗↻"
            findings.note_lasting("loop", name, good, f"{name} {row['mark']} {state!r}")
        else:
            findings.note(
                "state",
                state in known or not known,
                f"{name} {state!r}, was {known}, {last(truth, name, state, screen.began_s)}",
            )
        if healths - {""}:
            findings.note(
                "health",
                health in healths,
                f"{name} {health!r}, was {healths}, {last(truth, name, health, screen.began_s)}",
            )
        possible = {is_broken(*value) for value in values}
        if row["name"] not in LOOPS:
            good = (row["mark"] in "✗↻") in possible
            findings.note("verdict", good, f"{name} {row['mark']} {state}, broken {possible}")
        percent, size = _PERCENT.search(rest), _SIZE.search(rest)
        if percent is not None and (bounds := rates(longer, name)) is not None:
            value = float(percent[1])
            shown_cpu.append((name, value))
            good = bounds[0] - 4 <= value <= bounds[1] + 4
            findings.note("cpu", good, f"{name} {value}%, was {bounds[0]:.1f} to {bounds[1]:.1f}")
        memories = period.memories(name)
        if size is not None and memories:
            value = float(size[1]) * _UNITS[size[2]]
            good = min(memories) - MEMORY_SLACK_BYTES <= value <= max(memories) + MEMORY_SLACK_BYTES
            findings.note("memory", good, f"{name} {value:.0f}, was {min(memories)} to {max(memories)}")
    for (above, _), (below, _) in itertools.pairwise(shown_cpu):
        first, second = rates(longer, above), rates(longer, below)
        if first is not None and second is not None:
            findings.note("order", first[1] + 4 >= second[0] - 4, f"{above} {first} above {below} {second}")
    counts(screen.text, rows, findings)
    findings.note("rows", len(rows) == 60, f"{len(rows)} rows")


def counts(screen: str, rows: list[re.Match[str]], findings: Findings) -> None:
    """Compare the counts of the header with the rows, whose states are compared with the truth."""
    shown = {match["mark"]: int(match["count"]) for match in _COUNT.finditer(screen.splitlines()[0])}
    words = Counter(row["state"].partition(" ")[0] for row in rows)
    words["running"] += words["healthy"] + words["unhealthy"] + words["starting"]
    for mark, word in (("●", "running"), ("‖", "paused"), ("↻", "restarting")):
        good = shown.get(mark, 0) == words[word]
        findings.note_lasting("counts", mark, good, f"{mark} {shown.get(mark, 0)}, {words[word]} rows")
    broken = sum(row["mark"] in "✗↻" for row in rows)
    good = shown.get("✗", 0) == broken
    findings.note_lasting("broken", "✗", good, f"✗ {shown.get('✗', 0)}, {broken} rows")


def is_broken(state: str, health: str) -> bool:
    return state == "exited 3" or health == "unhealthy"


def last(truth: Truth, name: str, value: str, at_s: float) -> str:
    """Say when a state, health or size was true for the last time before a moment."""
    known = [(at_s - look.at_s, seen) for look in [*truth.looks] if (seen := look.containers.get(name)) is not None]
    ages = [age_s for age_s, seen in known if age_s >= 0 and value in {seen.state, seen.health}]
    return f"last true {min(ages):.2f} s before" if ages else "not true before"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="missing: tmux")
def test_nothing_on_the_screen_contradicts_what_was_true_for_more_than_a_second(
    docker: Docker, capsys: pytest.CaptureFixture[str]
):
    pyd = Path(sys.executable).with_name("pyd")
    findings, ended = Findings(), threading.Event()
    with (
        Truth(docker.host.removeprefix("unix://")) as truth,
        Terminal([pyd, "-H", docker.host], (150, 120)) as terminal,
    ):
        terminal.wait_for(" live")
        terminal.keys("o", "o", "o")
        terminal.wait_for("sorted by cpu")
        terminal.keys("j")
        worker = threading.Thread(target=churn, args=(docker, ended))
        worker.start()
        try:
            terminal.wait_for(re.compile(r"✗ \d+ broken"))
            ended.wait(WARM_UP_S)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                compare(Frame.read(terminal), truth, findings, docker.prefix)
        finally:
            ended.set()
            worker.join()
    with capsys.disabled():
        sys.stdout.write(f"\n{findings.report}\n")
    assert not +findings.wrong
