"""All that matters about one container, as lines: what it is, how it does, what it may use, where it is reached."""

from __future__ import annotations

from pyd_core.fleet.entry import Entry
from pyd_core.fleet.stats import Usage
from pyd_core.model.container import Container
from pyd_tui.dashboard.render.containers import ALIVE, health, memory_share, pressure, state
from pyd_tui.dashboard.render.figures import Clock, duration, full_moment, percent, size
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell

LABEL = 14
"""Terminal columns of the names on the left."""


def overview(entry: Entry, usage: Usage | None, found: Container | None, clock: Clock) -> list[Cell]:
    """Returns the lines; `found` is what inspect told, None while the engine hasn't answered yet."""
    lines: list[Cell] = [EMPTY, *_what(entry, found, clock), EMPTY, *_use(entry, usage)]
    if found is not None:
        lines += [EMPTY, *_process(found), EMPTY, *_reached(found), EMPTY, *_mounts(found)]
    return lines


def _line(name: str, *cells: Cell) -> Cell:
    return (Piece(f" {name:<{LABEL}}", "dim"), *(piece for pieces in cells for piece in pieces))


def _section(title: str) -> Cell:
    return (Piece(f" {title}", "title"),)


def _what(entry: Entry, found: Container | None, clock: Clock) -> list[Cell]:
    gap: Cell = (Piece("  "),)
    lines = [_section("Container"), _line("state", state(entry), gap, health(entry))]
    if entry.state in ALIVE and entry.started_ns:
        up = f"{duration(clock.now() - entry.started_ns)}, since {full_moment(entry.started_ns, clock)}"
        lines.append(_line("up", cell(up)))
    elif entry.finished_ns:
        lines.append(_line("ended", cell(full_moment(entry.finished_ns, clock))))
    if entry.oom_killed:
        lines.append(_line("memory", cell("the engine saw processes killed for want of memory", "warn")))
    if entry.error:
        lines.append(_line("error", cell(entry.error, "bad")))
    if entry.restart_count:
        lines.append(_line("restarts", cell(str(entry.restart_count), "warn")))
    lines += [
        _line("image", cell(entry.image)),
        _line("created", cell(full_moment(entry.created_ns, clock) if entry.created_ns else "")),
        _line("id", cell(entry.id[:12], "dim")),
    ]
    if entry.project:
        lines.append(_line("project", cell(entry.project, "info"), cell(f"  {entry.service}", "dim")))
    if found is not None:
        policy = found.host_config.restart_policy
        lines.append(_line("restart", cell(policy.name or "no")))
    return lines


def _use(entry: Entry, usage: Usage | None) -> list[Cell]:
    if entry.state not in ALIVE:
        return []
    if usage is None or usage.memory_bytes is None:
        return [_section("Use"), _line("", cell("measuring", "dim"))]
    share = memory_share(usage)
    of = f" of {size(usage.memory_limit)} ({percent(100 * (share or 0))})" if usage.memory_limit else ", no limit"
    lines = [
        _section("Use"),
        _line("cpu", cell(percent(usage.cpu_percent or 0)), cell(" of one core", "dim")),
        _line("memory", cell(size(usage.memory_bytes), pressure(share)), cell(of, "dim")),
    ]
    if usage.memory_peak is not None:
        lines.append(_line("peak", cell(size(usage.memory_peak))))
    if usage.throttled_ratio:
        lines.append(_line("throttled", cell(f"{percent(100 * usage.throttled_ratio)} of the time", "warn")))
    if usage.pids is not None:
        lines.append(_line("processes", cell(str(usage.pids))))
    for name, received, sent in (
        ("network", usage.net_rx, usage.net_tx),
        ("disk", usage.block_read, usage.block_write),
    ):
        if received is not None and sent is not None:
            lines.append(_line(name, cell(f"{size(received)}/s in, {size(sent)}/s out")))
    return lines


def _process(found: Container) -> list[Cell]:
    config, host = found.config, found.host_config
    lines = [
        _section("Process"),
        _line("command", cell(" ".join([found.path, *found.args]))),
        _line("user", cell(config.user or "root")),
        _line("directory", cell(config.working_dir or "/")),
    ]
    rights = [
        *(["privileged"] if host.privileged else []),
        *(["read-only root"] if host.readonly_rootfs else []),
        *(f"+{name}" for name in host.cap_add),
        *(f"-{name}" for name in host.cap_drop),
    ]
    if rights:
        lines.append(_line("rights", cell(" ".join(rights), "warn" if host.privileged else "text")))
    if found.state.pid:
        lines.append(_line("pid", cell(f"{found.state.pid} on the engine's host", "dim")))
    return lines


def _reached(found: Container) -> list[Cell]:
    lines = [_section("Network")]
    lines += [
        _line(name, cell(network.ip_address or "no address"))
        for name, network in found.network_settings.networks.items()
    ]
    for port, bound in found.network_settings.ports.items():
        hosts = ", ".join(f"{binding.host_ip}:{binding.host_port}" for binding in bound or [])
        lines.append(_line("port", cell(port), cell(f" ← {hosts}" if hosts else " not published", "dim")))
    if len(lines) == 1:
        lines.append(_line("mode", cell(found.host_config.network_mode or "none")))
    return lines


def _mounts(found: Container) -> list[Cell]:
    if not found.mounts:
        return []
    return [
        _section("Mounts"),
        *(
            _line(
                mount.type,
                cell(mount.destination),
                cell(f" ← {mount.name or mount.source}", "dim"),
                cell("" if mount.rw else "  read-only", "dim"),
            )
            for mount in found.mounts
        ),
    ]
