"""Containers as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_core.humanize import coarse_age, compact_size
from pyd_core.model.container import Port
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.chart import buckets, spark
from pyd_tui.dashboard.render.figures import SECOND, Clock, moment, percent
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell

if TYPE_CHECKING:
    from pyd_core.triage.verdict import Verdict

COLUMNS = (
    LayoutColumn(key="state", title="STATE", min_width=12, max_width=15, priority=0, whole=True),
    LayoutColumn(key="name", title="NAME", min_width=16, max_width=44, priority=0, whole=True),
    LayoutColumn(key="engine", title="ENGINE", min_width=8, max_width=24, priority=0, optional=True),
    LayoutColumn(key="cpu", title="%CORE", min_width=6, max_width=6, priority=2, optional=True, right=True),
    LayoutColumn(key="trend", title="LAST 50s", min_width=10, max_width=10, priority=10, optional=True, if_room=True),
    LayoutColumn(key="memory", title="MEM", min_width=5, max_width=5, priority=3, optional=True, right=True),
    LayoutColumn(key="limit", title="LIMIT", min_width=7, max_width=7, priority=8, optional=True, tight=True),
    LayoutColumn(
        key="throttled",
        title="THROTTLED",
        min_width=9,
        max_width=9,
        priority=15,
        optional=True,
        right=True,
        if_room=True,
    ),
    LayoutColumn(
        key="pids", title="PIDS", min_width=5, max_width=5, priority=11, optional=True, right=True, if_room=True
    ),
    LayoutColumn(
        key="net",
        title="NET/s IN/OUT",
        min_width=12,
        max_width=12,
        priority=12,
        optional=True,
        right=True,
        if_room=True,
    ),
    LayoutColumn(
        key="disk", title="DISK/s R/W", min_width=11, max_width=11, priority=13, optional=True, right=True, if_room=True
    ),
    LayoutColumn(key="since", title="UP/ENDED", min_width=8, max_width=8, priority=1, right=True),
    LayoutColumn(key="reason", title="REASON", min_width=36, max_width=100, priority=0, optional=True, whole=True),
    LayoutColumn(key="image", title="IMAGE", min_width=12, max_width=40, priority=4, cut_start=True),
    LayoutColumn(key="project", title="PROJECT", min_width=8, max_width=20, priority=7, optional=True),
    LayoutColumn(key="ports", title="PORTS", min_width=12, max_width=60, priority=5, optional=True),
)

MIN_STATE_COLUMNS = 12
"""Terminal columns of the longest action in progress, so that columns keep their places."""

Cells = tuple[Cell, ...]
MEASURED = ("cpu", "trend", "memory", "throttled", "pids", "net", "disk")
"""Keys of the columns that show resource use."""

TREND_STEP_NS = 5 * SECOND
"""Nanoseconds that one character of the list's curve stands for; a long step, to spare the terminal."""
TREND_COLUMNS = 10
"""Characters of that curve."""

CPU_TITLES = {"core": "%CORE", "most": "%LIMIT"}
"""Meaning of 100 %: one core, or all that the container may use (its limit, or the machine)."""

SINCE_TITLES = {True: "UP", False: "UP/ENDED"}
"""The title of the times, by whether all containers shown run: exited ones have the moment of their end."""

ACTIVE_STATES = frozenset({"running", "paused", "restarting"})
"""States in which a container has processes, or is about to; `ContainerInfo.alive` leaves out `restarting`."""

CLEAN_EXIT_CODES = frozenset({0, 130, 143})
"""Exit codes of a main process that finished, or ended by the SIGINT or SIGTERM of a stop (128 + signal)."""

CODE_KILLED = 137
"""The exit code of a main process that SIGKILL ended."""

MIN_LOOP_RESTARTS = 3
"""Automatic restarts from which a running container may be in a restart loop."""

_SHAPES: dict[str, tuple[str, Role]] = {
    "running": ("●", "good"),
    "paused": ("‖", "info"),
    "restarting": ("↻", "warn"),
    "created": ("◌", "dim"),
    "removing": ("…", "dim"),
    "exited": ("○", "dim"),
    "stopped": ("○", "dim"),
    "dead": ("✗", "bad"),
}
_HEALTH: dict[str, tuple[str, Role]] = {
    "healthy": ("✓ healthy", "good"),
    "unhealthy": ("✗ unhealthy", "bad"),
    "starting": ("… starting", "warn"),
}


def is_broken(container: ContainerInfo, verdict: Verdict | None = None) -> bool:
    """Return whether the container needs attention: triage's verdict if there is one, else a guess from its state.

    The guess doesn't count an end by SIGKILL, which is how a stop ends that took too long.
    """
    if verdict is not None:
        return verdict.broken
    return is_suspect(container) and (container.exit_code != CODE_KILLED or container.oom_killed)


def is_suspect(container: ContainerInfo) -> bool:
    """Return whether the container looks broken: failed, couldn't be started, in a restart loop, or unhealthy."""
    if container.state in {"dead", "restarting"} or (container.state == "created" and container.error):
        return True
    if container.state in {"exited", "stopped"}:
        return container.exit_code not in CLEAN_EXIT_CODES
    return container.state in ACTIVE_STATES and container.health == "unhealthy"


def may_be_broken(container: ContainerInfo) -> bool:
    """Return whether triage should look at the container.

    It looks broken, was restarted repeatedly, the kernel killed a process of it, or a signal ended it that may not have
    been a stop's.
    """
    if is_suspect(container) or container.oom_killed or container.oom_ns is not None:
        return True
    if container.state in ACTIVE_STATES:
        return container.state == "running" and container.restart_count >= MIN_LOOP_RESTARTS
    return bool(container.exit_code)


def state(container: ContainerInfo, pending: str = "", verdict: Verdict | None = None) -> Cell:
    """Show the state by shape, text and colour, so that it never depends on one of them only."""
    if pending:
        return (Span("… ", "warn"), Span(pending, "warn"))
    shape, role = _SHAPES.get(container.state, ("?", "warn"))
    text = container.state
    if container.state in {"exited", "stopped"} and container.exit_code is not None:
        text = f"{container.state} {container.exit_code}"
    if is_broken(container, verdict) and container.state != "restarting":
        # The text of a container that is up keeps its colour: the mark says that it is broken nevertheless.
        return (Span("✗ ", "bad"), *cell(text, role if container.state in ACTIVE_STATES else "bad"))
    return (Span(f"{shape} ", role), *cell(text, role))


def state_and_health(container: ContainerInfo, pending: str = "", verdict: Verdict | None = None) -> Cell:
    """Show the state; of a running container with a health probe, its health.

    Its probe may pass although it is broken, such as after the kernel killed a child of it: the shape says so.
    """
    if pending or container.state != "running" or container.health not in _HEALTH:
        return state(container, pending, verdict)
    shapes: dict[str, tuple[str, Role]] = {"healthy": ("●", "good"), "starting": ("●", "warn")}
    shape, role = shapes.get(container.health, ("✗", "bad"))
    mark: Span = Span("✗ ", "bad") if is_broken(container, verdict) else Span(f"{shape} ", role)
    return (mark, Span(container.health, role))


def health(container: ContainerInfo) -> Cell:
    """Return the health status; empty without probes, and for exited containers, whose last status no longer counts."""
    if container.state not in ACTIVE_STATES:
        return EMPTY
    text, role = _HEALTH.get(container.health, ("", "dim"))
    return cell(text, role)


def since(container: ContainerInfo, clock: Clock) -> Cell:
    """Return how long the container has run; if it doesn't run, when it ended or was created.

    A running time grows; the time of an exit doesn't change. So a screen of exited containers needs no repainting.
    """
    if container.state in ACTIVE_STATES and container.started_ns is not None:
        return cell(coarse_age((clock.now() - container.started_ns) // SECOND), "text")
    ended = container.finished_ns or container.created_ns
    return cell(moment(ended, clock), "dim") if ended else EMPTY


def reason(container: ContainerInfo, answer: Verdict | PydError | None) -> Cell:
    """Return why the container is broken, in triage's words: the specific part, then the cause."""
    if answer is None:
        return cell("looking" if is_suspect(container) else "", "dim")
    if isinstance(answer, PydError):
        return cell(answer.message, "dim")
    text = answer.reason or answer.summary.removeprefix(answer.name).strip()
    return (*cell(text, "bad" if answer.broken else "text"), *cell(f"  {answer.cause}", "dim"))


def memory_share(usage: Usage) -> float | None:
    """Return the share of its memory limit that a container uses, 0 to 1; None without a limit."""
    if usage.memory_bytes is None or not usage.memory_limit:
        return None
    return usage.memory_bytes / usage.memory_limit


def pressure(share: float | None) -> Role:
    """Return the role of a share of a limit: normal below three quarters, alarming above nine tenths."""
    if share is None or share < 0.75:
        return "text"
    return "warn" if share < 0.9 else "bad"


def cpu(usage: Usage | None, cores: float = 1.0) -> Cell:
    """Return processor use in percent of so many cores."""
    if usage is None or usage.cpu_percent is None:
        return EMPTY
    value = usage.cpu_percent / cores
    return cell(percent(value), "dim" if value < 0.05 else "warn" if value >= 90 else "text")


def trend(samples: Sequence[Usage], cores: float = 1.0) -> Cell:
    """Draw recent processor use, as far as it was measured."""
    if not samples:
        return EMPTY
    if not any(sample.cpu_percent for sample in samples):  # most containers of most machines
        return (Span(" " * TREND_COLUMNS, "good"),)
    # The grid doesn't move while its last part fills.
    until = -(-samples[-1].time_ns // TREND_STEP_NS) * TREND_STEP_NS
    values = buckets(
        samples,
        lambda sample: sample.cpu_percent,
        until_ns=until,
        span_ns=TREND_COLUMNS * TREND_STEP_NS,
        count=TREND_COLUMNS,
    )
    top = max(100.0 * cores, *(value or 0 for value in values))
    return (Span(spark(values, top), "good"),)


def rates(first: float | None, second: float | None) -> Cell:
    """Return bytes per second in both directions."""
    if first is None or second is None:
        return EMPTY
    first_cell, second_cell = (cell(compact_size(value), "text" if value >= 1 else "dim") for value in (first, second))
    return (*first_cell, Span("/", "faint"), *second_cell)


def throttled(usage: Usage) -> Cell:
    """Return the share of time throttled; empty where it never was."""
    return cell(percent(100 * usage.throttled_ratio), "warn") if usage.throttled_ratio else EMPTY


def memory(usage: Usage | None) -> Cell:
    """Return memory use, coloured by how near its limit it is."""
    if usage is None or usage.memory_bytes is None:
        return EMPTY
    return cell(compact_size(usage.memory_bytes), pressure(memory_share(usage)))


def limit(container: ContainerInfo, usage: Usage | None) -> Cell:
    """Return the memory limit; empty without one."""
    limit_bytes = container.memory_limit or (usage.memory_limit if usage else None)
    return (Span("/ ", "faint"), *cell(compact_size(limit_bytes), "dim")) if limit_bytes else EMPTY


def image(container: ContainerInfo) -> Cell:
    """Name the image; a bare digest is shortened to the twelve digits that people compare."""
    name = container.image
    if name.startswith("sha256:"):
        return cell(name.removeprefix("sha256:")[:12], "dim")
    path, separator, digest = name.partition("@sha256:")
    return (*cell(path, "dim"), *(cell(f"@{digest[:8]}", "dim") if separator else EMPTY))


def ports(container: ContainerInfo) -> Cell:
    """List the published ports, host side first; a port published on several host addresses is listed once."""
    return cell(published(container.ports), "dim")


def published(bindings: Sequence[Port]) -> str:
    """Return published ports as text."""
    return ", ".join(dict.fromkeys(_port(port) for port in _sorted_ports(bindings)))


def _sorted_ports(bindings: Sequence[Port]) -> list[Port]:
    published = [port for port in bindings if port.public_port]
    return sorted(published, key=lambda port: (port.private_port, port.type, port.public_port or 0))


def _port(port: Port) -> str:
    protocol = "" if port.type == "tcp" else f"/{port.type}"
    local = f"{port.ip}:" if port.ip.startswith("127.") else ""
    return f"{local}{port.public_port}→{port.private_port}{protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowUsage:
    """A container's resource use, as a row shows it.

    Attributes:
        usage: The newest sample.
        samples: Earlier samples, oldest first.
        cores: Number of cores that 100 % stands for.
    """

    usage: Usage
    samples: Sequence[Usage] = ()
    cores: float = 1.0


def usage_cells(row_usage: RowUsage | None) -> tuple[Cell, ...]:
    """Return the cells of `MEASURED`, without the memory limit, which is known without measuring."""
    if row_usage is None:
        return (EMPTY,) * len(MEASURED)
    usage = row_usage.usage
    return (
        cpu(usage, row_usage.cores),
        trend(row_usage.samples, row_usage.cores),
        memory(usage),
        throttled(usage),
        cell("" if usage.pids is None else str(usage.pids), "dim"),
        rates(usage.net_rx, usage.net_tx),
        rates(usage.block_read, usage.block_write),
    )


def row(
    container: ContainerInfo,
    row_usage: RowUsage | None,
    clock: Clock,
    pending: str = "",
    answer: Verdict | PydError | None = None,
    *,
    engine: Cell = EMPTY,
) -> tuple[Cell, ...]:
    """Return a container's cells, one for each of `COLUMNS`; `answer` is triage's verdict or error, if any."""
    verdict = None if isinstance(answer, PydError) else answer
    active = container.state in ACTIVE_STATES
    measured = usage_cells(row_usage if active else None)
    return (
        state_and_health(container, pending, verdict),
        cell(container.name, "strong" if active else "text"),
        engine,
        *measured[:3],
        limit(container, row_usage.usage if row_usage is not None else None) if active else EMPTY,
        *measured[3:],
        since(container, clock),
        reason(container, answer),
        image(container),
        cell(container.project, "info"),
        ports(container),
    )


def heading(
    project: str, containers: Sequence[ContainerInfo], usage: Sequence[Usage], *, folded: bool, broken: int
) -> Cells:
    """Return the cells of the line above a project's containers, one for each of `COLUMNS`.

    Args:
        project: Its name.
        containers: Its containers.
        usage: Use of those that are measured; totals appear once all running ones are.
        folded: Whether the containers are hidden below it.
        broken: Number of containers that need attention.
    """
    active = sum(entry.state in ACTIVE_STATES for entry in containers)
    cells = dict.fromkeys((column.key for column in COLUMNS), EMPTY)
    state: Role = "good" if active == len(containers) else "text"
    cells["state"] = (Span("▸ " if folded else "▾ ", "accent"), Span(f"{active} of {len(containers)} up", state))
    cells["name"] = (*cell(project, "title"), *((Span(f"  ✗{broken}", "bad"),) if broken else EMPTY))
    if active and len(usage) >= active:
        cells["cpu"] = cell(percent(sum(sample.cpu_percent or 0 for sample in usage)), "dim")
        cells["memory"] = cell(compact_size(sum(sample.memory_bytes or 0 for sample in usage)), "dim")
    return tuple(cells.values())
