"""The rows: each measures one promise next to the program that users would use otherwise."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import build_rows
import embedded
import screens
from ground import PYD, Ground, needs_module
from measure import Skip, environment, in_turn
from row import Row
from terminal import Meter
from triage import recorder, sweep, verdict


def start(ground: Ground) -> list[Row]:
    """Measure the minimum that any command takes."""
    bare = (sys.executable, "-I", "-c", "pass")
    ours, python = in_turn((PYD, "version", "--client"), bare, rounds=ground.rounds)
    return [Row("pyd version --client", ours.wall * 1e3, "ms", "python -c pass", python.wall * 1e3)]


def ps(ground: Ground) -> list[Row]:
    """Measure `pyd ps` with 50 containers."""
    ground.crowd(50)
    ours, theirs = in_turn((PYD, "ps"), ("docker", "ps"), rounds=ground.rounds)
    note = f"{ours.memory >> 20} MiB, docker {theirs.memory >> 20} MiB"
    return [Row("pyd ps, 50 containers", ours.wall * 1e3, "ms", "docker ps", theirs.wall * 1e3, limit=150, note=note)]


def exec_(ground: Ground) -> list[Row]:
    """Measure `pyd exec`, which asks the engine as docker does."""
    target = ground.container("target")
    ours, theirs = in_turn(
        (PYD, "exec", target, "/bin/busybox", "true"),
        ("docker", "exec", target, "/bin/busybox", "true"),
        rounds=ground.rounds,
    )
    return [Row("pyd exec X true", ours.wall * 1e3, "ms", "docker exec", theirs.wall * 1e3)]


def debug(ground: Ground) -> list[Row]:
    """Measure `pyd debug X -c true` with the toolbox in its store."""
    needs_module("pyd_tui.cli.commands.debug.debug")
    target = ground.container("target")
    subprocess.run([PYD, "debug", target, "-c", "true"], capture_output=True, check=False, env=environment())
    ours, theirs = in_turn(
        (PYD, "debug", target, "-c", "true"), ("docker", "exec", target, "/bin/busybox", "true"), rounds=ground.rounds
    )
    return [Row("pyd debug X -c true", ours.wall * 1e3, "ms", "docker exec", theirs.wall * 1e3, limit_ratio=1.5)]


LINES = 100_000


def prompt(ground: Ground) -> list[Row]:
    """Measure from the start of the process until the debug shell's prompt is drawn."""
    target = ground.container("target")
    subprocess.run([PYD, "debug", target, "-c", "true"], capture_output=True, check=False, env=environment())
    taken: list[float] = []
    for _ in range(max(3, ground.rounds // 2)):
        with Meter([PYD, "debug", target]) as shell:
            taken.append(shell.until(r"\(running\) root:"))
            shell.send("exit\r")
            shell.watch(1)
    return [Row("pyd debug X: prompt drawn", statistics.median(taken) * 1e3, "ms", limit=400)]


def farewell(ground: Ground) -> list[Row]:
    """Measure from the kill of a target until the debug shell reports its end."""
    taken: list[float] = []
    for number in range(max(3, ground.rounds // 4)):
        target = ground.container(f"mortal{number}")
        with Meter([PYD, "debug", target]) as shell:
            shell.until(r"\(running\) root:")
            killed = time.perf_counter() - shell.begun
            ground.docker("kill", target)
            taken.append(shell.until("post mortem") - killed)
            shell.send("q\r")
            shell.watch(1)
    note = f"at most {max(taken) * 1e3:.0f} ms"
    return [Row("pyd debug X: its end reported", statistics.median(taken) * 1e3, "ms", limit=2000, note=note)]


def helper(ground: Ground) -> list[Row]:
    """Measure `pyd debug X -c true` through a helper container, with its image in place."""
    target = ground.container("target")
    through = (PYD, "debug", "--tier", "3", target, "-c", "true")
    subprocess.run(through, capture_output=True, check=False, env=environment())
    peer = ("docker", "exec", target, "/bin/busybox", "true")
    ours, theirs = in_turn(through, peer, rounds=max(3, ground.rounds // 2))
    return [Row("pyd debug --tier 3 X -c true", ours.wall * 1e3, "ms", "docker exec", theirs.wall * 1e3, limit=1500)]


PRINT = (
    f"/bin/busybox awk 'BEGIN {{ for (i = 0; i < {LINES}; i++) "
    'print "line " i " of a program that has much to say and says it all at once" }\''
)
PACED = (
    "i=0; while [ $i -lt 50 ]; do /bin/busybox seq $((i * 1000)) $((i * 1000 + 999)); "
    "/bin/busybox usleep 95000; i=$((i + 1)); done"
)


def logs(ground: Ground) -> list[Row]:
    """Measure the merged logs of two containers; docker has no merge, so its two run side by side."""
    names = [ground.container(f"talker{letter}", "/bin/sh", "-c", PRINT) for letter in "ab"]
    ground.docker("wait", *names)
    printed = subprocess.run([PYD, "logs", *names], capture_output=True, check=True, env=environment())
    shown = printed.stdout.count(b"\n")
    if shown != 2 * LINES:
        raise Skip(f"pyd logs shows {shown:,} lines of {2 * LINES:,}")
    both = f"docker logs {names[0]} & docker logs {names[1]}; wait"
    rounds = max(3, ground.rounds // 4)
    ours, theirs = in_turn((PYD, "logs", *names), ("sh", "-c", both), rounds=rounds, warm=1)
    note = f"{2 * LINES / ours.wall:,.0f} lines/s; {ours.memory >> 20} MiB"
    return [Row(f"pyd logs a b, {2 * LINES:,} lines", ours.wall, "s", "docker logs, twice", theirs.wall, note=note)]


def follow(ground: Ground) -> list[Row]:
    """Follow two containers that print 10,000 lines a second each; count the lines and the cost."""
    names = [ground.docker.create(f"paced{letter}", ground.image, "/bin/sh", "-c", PACED) for letter in "ab"]
    ground.docker("start", *names)
    begun = time.perf_counter()
    done = subprocess.run(
        [PYD, "logs", "-f", *names], stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment()
    )
    took = time.perf_counter() - begun
    if done.returncode != 0:
        raise Skip(f"pyd logs -f: exit code {done.returncode}: {done.stderr.decode()[:200]}")
    got = done.stdout.count(b"\n")
    note = f"{got:,} of 100,000 lines in {took:.1f} s"
    return [Row("pyd logs -f a b, lines lost of 20,000/s", 100_000 - got, "lines", limit=0, note=note)]


ROWS: dict[str, Callable[[Ground], list[Row]]] = {
    "start": start,
    "ps": ps,
    "exec": exec_,
    "debug": debug,
    "prompt": prompt,
    "farewell": farewell,
    "helper": helper,
    "logs": logs,
    "follow": follow,
    "dashboard": screens.dashboard,
    "fifty": screens.fifty,
    "keys": screens.keys,
    "deaths": screens.deaths,
    "thousands": screens.thousands,
    "two-hundred": screens.two_hundred,
    "triage": verdict,
    "sweep": sweep,
    "recorder": recorder,
    "run": embedded.run,
    "pull": embedded.pull,
    "build": build_rows.cached,
}
