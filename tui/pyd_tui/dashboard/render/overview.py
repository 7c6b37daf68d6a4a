"""A container's overview: state, resource use, process, network and mounts."""

from __future__ import annotations

from pyd_core.model.container import Container
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.containers import ALIVE, health, memory_share, pressure, state
from pyd_tui.dashboard.render.facts import fact, title
from pyd_tui.dashboard.render.figures import Clock, duration, full_moment, percent, size
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell


def overview(entry: ContainerInfo, usage: Usage | None, found: Container | None, clock: Clock) -> list[Cell]:
    """Return the overview; `container` is the inspect data, None until the engine answers."""
    parts = [_what(entry, found, clock), _use(entry, usage)]
    if found is not None:
        parts += [_process(found), _reached(found), _mounts(found)]
    return [line for part in parts if part for line in (EMPTY, *part)]


def _what(entry: ContainerInfo, found: Container | None, clock: Clock) -> list[Cell]:
    gap: Cell = (Span("  "),)
    lines = [title("Container"), fact("state", state(entry), gap, health(entry))]
    if entry.state in ALIVE and entry.started_ns:
        up = f"{duration(clock.now() - entry.started_ns)}, since {full_moment(entry.started_ns, clock)}"
        lines.append(fact("up", cell(up)))
    elif entry.finished_ns:
        lines.append(fact("ended", cell(full_moment(entry.finished_ns, clock))))
    if entry.oom_killed:
        lines.append(fact("memory", cell("the engine reports that a process was killed for lack of memory", "warn")))
    if entry.error:
        lines.append(fact("error", cell(entry.error, "bad")))
    if entry.restart_count:
        lines.append(fact("restarts", cell(str(entry.restart_count), "warn")))
    lines += [
        fact("image", cell(entry.image)),
        fact("created", cell(full_moment(entry.created_ns, clock) if entry.created_ns else "")),
        fact("id", cell(entry.id[:12], "dim")),
    ]
    if entry.project:
        lines.append(fact("project", cell(entry.project, "info"), cell(f"  {entry.service}", "dim")))
    if found is not None:
        policy = found.host_config.restart_policy
        lines.append(fact("restart", cell(policy.name or "no")))
    return lines


def _use(entry: ContainerInfo, usage: Usage | None) -> list[Cell]:
    if entry.state not in ALIVE:
        return []
    if usage is None or usage.memory_bytes is None:
        return [title("Usage"), fact("", cell("measuring", "dim"))]
    share = memory_share(usage)
    of = f" of {size(usage.memory_limit)} ({percent(100 * (share or 0))})" if usage.memory_limit else ", no limit"
    lines = [
        title("Usage"),
        fact("cpu", cell(percent(usage.cpu_percent or 0)), cell(" of one core", "dim")),
        fact("memory", cell(size(usage.memory_bytes), pressure(share)), cell(of, "dim")),
    ]
    if usage.memory_peak is not None:
        lines.append(fact("peak", cell(size(usage.memory_peak))))
    if usage.throttled_ratio:
        lines.append(fact("throttled", cell(f"{percent(100 * usage.throttled_ratio)} of the time", "warn")))
    if usage.pids is not None:
        lines.append(fact("processes", cell(str(usage.pids))))
    for name, received, sent in (
        ("network", usage.net_rx, usage.net_tx),
        ("disk", usage.block_read, usage.block_write),
    ):
        if received is not None and sent is not None:
            lines.append(fact(name, cell(f"{size(received)}/s in, {size(sent)}/s out")))
    return lines


def _process(found: Container) -> list[Cell]:
    config, host = found.config, found.host_config
    lines = [
        title("Process"),
        fact("command", cell(" ".join([found.path, *found.args]))),
        fact("user", cell(config.user or "root")),
        fact("directory", cell(config.working_dir or "/")),
    ]
    rights = [
        *(["privileged"] if host.privileged else []),
        *(["read-only root"] if host.readonly_rootfs else []),
        *(f"+{name}" for name in host.cap_add),
        *(f"-{name}" for name in host.cap_drop),
    ]
    if rights:
        lines.append(fact("privileges", cell(" ".join(rights), "warn" if host.privileged else "text")))
    if found.state.pid:
        lines.append(fact("pid", cell(f"{found.state.pid} on the engine's host", "dim")))
    return lines


def _reached(found: Container) -> list[Cell]:
    lines = [title("Network")]
    lines += [
        fact(name, cell(network.ip_address or "no address"))
        for name, network in found.network_settings.networks.items()
    ]
    for port, bound in found.network_settings.ports.items():
        hosts = ", ".join(f"{binding.host_ip}:{binding.host_port}" for binding in bound or [])
        lines.append(fact("port", cell(port), cell(f" ← {hosts}" if hosts else " not published", "dim")))
    if len(lines) == 1:
        lines.append(fact("mode", cell(found.host_config.network_mode or "none")))
    return lines


def _mounts(found: Container) -> list[Cell]:
    if not found.mounts:
        return []
    return [
        title("Mounts"),
        *(
            fact(
                mount.type,
                cell(mount.destination),
                cell(f" ← {mount.name or mount.source}", "dim"),
                cell("" if mount.rw else "  read-only", "dim"),
            )
            for mount in found.mounts
        ),
    ]
