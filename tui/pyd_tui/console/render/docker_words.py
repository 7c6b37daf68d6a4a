"""Sizes and times in the docker CLI's words, for its templates (docker/go-units)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pyd_core.model.container import Port


def spell_size(count: float) -> str:
    """Return `2.03MB`: decimal units, three figures (`HumanSizeWithPrecision`)."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}PB"


def spell_time(seconds: float, nanoseconds: int = 0) -> str:
    """Return a time as Go prints one: `2026-01-02 03:04:05 +0000 UTC`, parts of a second if given."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    part = f".{nanoseconds:09d}".rstrip("0").rstrip(".") if nanoseconds else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{part} {moment:%z} {moment.tzname()}"


def spell_labels(labels: Mapping[str, str]) -> str:
    """Return labels as `name=value`, separated by commas."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def spell_ports(ports: Iterable[Port]) -> str:
    """Return `0.0.0.0:8080-8081->80-81/tcp, 90/udp`, adjacent ports joined (`DisplayablePorts`)."""
    published = sorted((p.private_port, p.ip, p.public_port or 0, p.type) for p in ports)
    runs: list[list[tuple[int, str, int, str]]] = []
    for port in published:
        for run in runs:
            last = run[-1]
            step = 1 if last[2] else 0
            if (last[0] + 1, last[1], last[2] + step, last[3]) == port:
                run.append(port)
                break
        else:
            runs.append([port])
    return ", ".join(_run(run) for run in sorted(runs, key=lambda run: (run[0][0], run[0][3], run[0][1])))


def _run(run: list[tuple[int, str, int, str]]) -> str:
    private, ip, public, kind = run[0]
    inside = str(private) if len(run) == 1 else f"{private}-{run[-1][0]}"
    if not public:
        return f"{inside}/{kind}"
    outside = str(public) if len(run) == 1 else f"{public}-{run[-1][2]}"
    return f"{ip}:{outside}->{inside}/{kind}"
