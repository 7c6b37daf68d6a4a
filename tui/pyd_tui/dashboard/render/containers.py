"""Containers as rows of a table."""

from __future__ import annotations

from pyd_core.fleet.entry import Entry
from pyd_core.fleet.stats import Usage
from pyd_core.model.container import Port
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.figures import Clock, duration, moment, percent, size
from pyd_tui.dashboard.render.layout import Column
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, Role, cell, width

COLUMNS = (
    Column(key="state", title="STATE", least=15, most=15, priority=0),
    Column(key="name", title="NAME", least=16, most=44, priority=0),
    Column(key="health", title="HEALTH", least=11, most=11, priority=6, optional=True),
    Column(key="cpu", title="CPU", least=5, most=5, priority=2, right=True),
    Column(key="memory", title="MEM", least=5, most=5, priority=3, right=True),
    Column(key="limit", title="LIMIT", least=7, most=7, priority=8, optional=True, close=True),
    Column(key="since", title="UP", least=8, most=8, priority=1, right=True),
    Column(key="image", title="IMAGE", least=12, most=40, priority=4, from_start=True),
    Column(key="project", title="PROJECT", least=8, most=20, priority=7, optional=True),
    Column(key="ports", title="PORTS", least=12, most=60, priority=5, optional=True),
)

ALIVE = frozenset({"running", "paused", "restarting"})
"""States in which a container has processes, or is about to."""

ASKED_TO_END = frozenset({0, 130, 143})
"""Exit codes of a main process that was done, or ended by the SIGINT or SIGTERM that stopping sends (128 + signal)."""

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


def is_broken(entry: Entry) -> bool:
    """Whether somebody should look at it: died of itself, out of memory, in a restart loop, unhealthy."""
    if entry.state in {"dead", "restarting"}:
        return True
    if entry.state in {"exited", "stopped"}:
        return entry.exit_code not in ASKED_TO_END
    return entry.state in ALIVE and entry.health == "unhealthy"


def state(entry: Entry, pending: str = "") -> Cell:
    """Says the state by a shape, a word and a colour, so that none of them is alone in telling it."""
    if pending:
        return (Piece("… ", "warn"), Piece(pending, "warn"))
    shape, role = _SHAPES.get(entry.state, ("?", "warn"))
    word = entry.state
    if entry.state in {"exited", "stopped"} and entry.exit_code is not None:
        word = f"{entry.state} {entry.exit_code}"
    if is_broken(entry) and entry.state != "restarting":
        shape, role = "✗", "bad"
    return (Piece(f"{shape} ", role), *cell(word, role))


def health(entry: Entry) -> Cell:
    """Says what the health probes found; empty without probes, and for the dead, whose last word no longer counts."""
    if entry.state not in ALIVE:
        return EMPTY
    text, role = _HEALTH.get(entry.health, ("", "dim"))
    return cell(text, role)


def since(entry: Entry, clock: Clock) -> Cell:
    """Says how long it has run; of others, when they ended or were made.

    A running time grows; the moment of an end stays as it is. So a screen of dead containers needs no repainting.
    """
    if entry.state in ALIVE and entry.started_ns is not None:
        return cell(duration(clock.now() - entry.started_ns), "text")
    ended = entry.finished_ns or entry.created_ns
    return cell(moment(ended, clock), "dim") if ended else EMPTY


def memory_share(usage: Usage) -> float | None:
    """Returns how much of its limit a container uses, 0 to 1; None without a limit."""
    if usage.memory_bytes is None or not usage.memory_limit:
        return None
    return usage.memory_bytes / usage.memory_limit


def pressure(share: float | None) -> Role:
    """Returns the role of a share of a limit: calm below three quarters, alarming above nine tenths."""
    if share is None or share < 0.75:
        return "text"
    return "warn" if share < 0.9 else "bad"


def cpu(usage: Usage | None) -> Cell:
    """Says processor use in percent of one core."""
    value = None if usage is None else usage.cpu_percent
    if value is None:
        return EMPTY
    return cell(percent(value), "dim" if value < 0.05 else "warn" if value >= 90 else "text")


def memory(usage: Usage | None) -> Cell:
    """Says memory use, coloured by how near its limit it is."""
    if usage is None or usage.memory_bytes is None:
        return EMPTY
    return cell(size(usage.memory_bytes), pressure(memory_share(usage)))


def limit(entry: Entry, usage: Usage | None) -> Cell:
    """Says the memory limit; empty without one."""
    most = entry.memory_limit or (usage.memory_limit if usage else None)
    return (Piece("/ ", "faint"), *cell(size(most), "dim")) if most else EMPTY


def image(entry: Entry) -> Cell:
    """Names the image: a bare digest is cut to what people compare, twelve digits."""
    name = entry.image
    if name.startswith("sha256:"):
        return cell(name.removeprefix("sha256:")[:12], "dim")
    path, at, digest = name.partition("@sha256:")
    return (*cell(path, "dim"), *(cell(f"@{digest[:8]}", "dim") if at else EMPTY))


def ports(entry: Entry) -> Cell:
    """Lists the published ports, host side first; the same one on several host addresses once."""
    return cell(", ".join(dict.fromkeys(_port(port) for port in _in_order(entry.ports))), "dim")


def _in_order(found: tuple[Port, ...]) -> list[Port]:
    published = [port for port in found if port.public_port]
    return sorted(published, key=lambda port: (port.private_port, port.type, port.public_port or 0))


def _port(port: Port) -> str:
    protocol = "" if port.type == "tcp" else f"/{port.type}"
    local = f"{port.ip}:" if port.ip.startswith("127.") else ""
    return f"{local}{port.public_port}→{port.private_port}{protocol}"


def row(entry: Entry, usage: Usage | None, clock: Clock, pending: str = "") -> tuple[Cell, ...]:
    """Returns the cells of a container, one for each of `COLUMNS`."""
    living = entry.state in ALIVE
    usage = usage if living else None
    return (
        state(entry, pending),
        cell(entry.name, "strong" if living else "text"),
        health(entry),
        cpu(usage),
        memory(usage),
        limit(entry, usage) if living else EMPTY,
        since(entry, clock),
        image(entry),
        cell(entry.project, "info"),
        ports(entry),
    )


def natural(entries: list[Entry], clock: Clock) -> dict[str, int]:
    """Returns the width that each column's widest content wants; those without a wish keep their least."""
    widest: dict[str, int] = {column.key: 0 for column in COLUMNS if column.key not in {"cpu", "memory"}}
    for entry in entries:
        living = entry.state in ALIVE
        widest["name"] = max(widest["name"], len(safe(entry.name)))
        widest["image"] = max(widest["image"], len(entry.image) if not entry.image.startswith("sha256:") else 12)
        widest["project"] = max(widest["project"], len(entry.project))
        widest["state"] = max(widest["state"], len(entry.state) + 2 + (4 if entry.exit_code else 2))
        if entry.ports:
            widest["ports"] = max(widest["ports"], sum(len(piece.text) for piece in ports(entry)))
        widest["since"] = max(widest["since"], width(since(entry, clock)))
        if entry.memory_limit and living:
            widest["limit"] = max(widest["limit"], width(limit(entry, None)))
    widest["health"] = 11 * any(entry.health in _HEALTH and entry.state in ALIVE for entry in entries)
    return widest
