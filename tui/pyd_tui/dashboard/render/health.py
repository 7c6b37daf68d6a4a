"""A container's health probe, and the results of the last probes."""

from __future__ import annotations

from pyd_core.model.base import parse_time
from pyd_core.model.container import Container
from pyd_core.model.container_config import HealthConfig
from pyd_tui.dashboard.render.facts import block, fact, nothing
from pyd_tui.dashboard.render.figures import SECOND, Clock, counted
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell

_ROLES: dict[str, Role] = {"healthy": "good", "unhealthy": "bad", "starting": "warn"}
MAX_OUTPUT_LINES = 12
"""Lines of a probe's output that are shown; engines keep 4 KB of each."""


def probes(container: Container, clock: Clock) -> list[Cell]:
    """Return the probe's settings, and its results, newest first."""
    config, health = container.config.healthcheck, container.state.health
    if health is None or health.status in {"", "none"}:
        return nothing("no health probe is configured")
    lines = block("Health", [fact("state", cell(health.status, _ROLES.get(health.status, "text"))), *_setup(config)])
    if health.failing_streak:
        lines.append(fact("failed", cell(f"{health.failing_streak} times in a row", "bad")))
    results: list[Cell] = []
    for result in reversed(health.log):
        begin, end = parse_time(result.start), parse_time(result.end)
        when = f"{clock.local(begin):%H:%M:%S}" if begin is not None else ""
        duration = f"{(end - begin) / SECOND:.2f}s" if begin is not None and end is not None else ""
        good = result.exit_code == 0
        text = "passed" if good else f"failed, exit code {result.exit_code}"
        results.append(
            (
                Span(f" {when:<{10}}", "dim"),
                *cell(f"{'✓' if good else '✗'} {text}", "good" if good else "bad"),
                Span(f"  {duration}", "dim"),
            )
        )
        output = result.output.strip().splitlines()
        results += [(Span(" " * 13), *cell(line, "dim" if good else "text")) for line in output[:MAX_OUTPUT_LINES]]
        if len(output) > MAX_OUTPUT_LINES:
            results.append((Span(" " * 13), Span(f"… {counted(len(output) - MAX_OUTPUT_LINES, 'more line')}", "dim")))
    return lines + block("Probes, newest first", results)


def _setup(config: HealthConfig | None) -> list[Cell]:
    if config is None or not config.test:
        return [fact("probe", cell("set by the image", "dim"))]
    kind, *words = config.test
    interval, timeout = (value / SECOND if value else 30 for value in (config.interval, config.timeout))
    failures = config.retries or 3
    command = " ".join(words) if kind in {"CMD", "CMD-SHELL"} else " ".join(config.test)
    return [
        fact("probe", cell(command)),
        fact("", cell(f"every {_length(interval)}, timeout {_length(timeout)}", "dim")),
        fact("", cell(f"unhealthy after {counted(failures, 'failure')}", "dim")),
    ]


def _length(seconds: float) -> str:
    """Write a setting's length of time in the largest unit that doesn't round it: `1.5s`, `90s`, `5m`, `3h`."""
    for length, unit in ((3600, "h"), (60, "m")):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"
