"""A container's overview: state, resource use, process, network and mounts."""

from __future__ import annotations

from pyd_core.humanize import coarse_age, compact_size
from pyd_core.model.container import Container
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.containers import ACTIVE_STATES, health, memory_share, pressure, state
from pyd_tui.dashboard.render.env import mask_words
from pyd_tui.dashboard.render.facts import fact, title
from pyd_tui.dashboard.render.figures import SECOND, Clock, full_moment, percent
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell


def overview(
    info: ContainerInfo, usage: Usage | None, container: Container | None, clock: Clock, *, removed: bool = False
) -> list[Cell]:
    """Return the overview.

    Args:
        info: The container, in its last state if it was removed.
        usage: Its newest sample.
        container: The inspect data; None until the engine answers.
        clock: The clock.
        removed: Whether the container was removed.
    """
    parts = [_container_facts(info, container, clock, removed=removed), [] if removed else _usage_facts(info, usage)]
    if container is not None:
        parts += [_process_facts(container), _network_facts(container), _mount_facts(container)]
    return [line for part in parts if part for line in (EMPTY, *part)]


def _container_facts(info: ContainerInfo, container: Container | None, clock: Clock, *, removed: bool) -> list[Cell]:
    gap: Cell = (Span("  "),)
    last = cell(f" (was {info.state})" if info.state else "", "dim")
    now = fact("state", cell("removed", "bad"), last) if removed else fact("state", state(info), gap, health(info))
    lines = [title("Container"), now]
    if info.state in ACTIVE_STATES and info.started_ns and not removed:
        up = f"{coarse_age((clock.now() - info.started_ns) // SECOND)}, since {full_moment(info.started_ns, clock)}"
        lines.append(fact("up", cell(up)))
    elif info.finished_ns:
        lines.append(fact("ended", cell(full_moment(info.finished_ns, clock))))
    if info.oom_killed:
        lines.append(fact("memory", cell("the engine reports that a process was killed for lack of memory", "warn")))
    if info.error:
        lines.append(fact("error", cell(info.error, "bad")))
    if info.restart_count:
        lines.append(fact("restarts", cell(str(info.restart_count), "warn")))
    lines += [
        fact("image", cell(info.image)),
        fact("created", cell(full_moment(info.created_ns, clock) if info.created_ns else "")),
        fact("ID", cell(info.id[:12], "dim")),
    ]
    if info.project:
        lines.append(fact("project", cell(info.project, "info"), cell(f"  {info.service}", "dim")))
    if container is not None:
        policy = container.host_config.restart_policy
        lines.append(fact("restart", cell("never" if policy.name in {"", "no"} else policy.name)))
    return lines


def _usage_facts(info: ContainerInfo, usage: Usage | None) -> list[Cell]:
    if info.state not in ACTIVE_STATES:
        return []
    if usage is None or usage.memory_bytes is None:
        return [title("Usage"), fact("", cell("measuring" if info.has_processes else "nothing runs", "dim"))]
    share = memory_share(usage)
    limit = (
        f" of {compact_size(usage.memory_limit)} ({percent(100 * (share or 0))})"
        if usage.memory_limit
        else ", no limit"
    )
    lines = [
        title("Usage"),
        fact("CPU", cell(percent(usage.cpu_percent or 0)), cell(" of one core", "dim")),
        fact("memory", cell(compact_size(usage.memory_bytes), pressure(share)), cell(limit, "dim")),
    ]
    if usage.memory_peak is not None:
        lines.append(fact("peak", cell(compact_size(usage.memory_peak))))
    if usage.throttled_ratio:
        lines.append(fact("throttled", cell(f"{percent(100 * usage.throttled_ratio)} of the time", "warn")))
    if usage.pids is not None:
        lines.append(fact("processes", cell(str(usage.pids))))
    if usage.net_rx is not None and usage.net_tx is not None:
        lines.append(fact("network", cell(f"{compact_size(usage.net_rx)}/s in, {compact_size(usage.net_tx)}/s out")))
    if usage.block_read is not None and usage.block_write is not None:
        disk = f"{compact_size(usage.block_read)}/s read, {compact_size(usage.block_write)}/s written"
        lines.append(fact("disk", cell(disk)))
    return lines


def _process_facts(container: Container) -> list[Cell]:
    config, host = container.config, container.host_config
    lines = [
        title("Process"),
        fact("command", _command(container)),
        fact("user", cell(config.user or "root")),
        fact("directory", cell(config.working_dir or "/")),
    ]
    privileges = [
        *(["privileged"] if host.privileged else []),
        *(["read-only root"] if host.readonly_rootfs else []),
        *(f"+{name}" for name in host.cap_add),
        *(f"-{name}" for name in host.cap_drop),
    ]
    if privileges:
        lines.append(fact("privileges", cell(" ".join(privileges), "warn" if host.privileged else "text")))
    if container.state.pid:
        lines.append(fact("PID", cell(f"{container.state.pid} on the engine's host", "dim")))
    return lines


def _command(container: Container) -> Cell:
    """Return the command line with likely secrets masked."""
    return mask_words(" ".join([container.path, *container.args]))


def _network_facts(container: Container) -> list[Cell]:
    lines = [title("Network")]
    lines += [
        fact(name, cell(network.ip_address or "no address"))
        for name, network in container.network_settings.networks.items()
    ]
    for port, bindings in container.network_settings.ports.items():
        hosts = ", ".join(f"{binding.host_ip}:{binding.host_port}" for binding in bindings or [])
        lines.append(fact("port", cell(port), cell(f" ← {hosts}" if hosts else " not published", "dim")))
    mode = container.host_config.network_mode
    if len(lines) > 1:
        return lines
    return [*lines, fact("mode", cell(mode))] if mode else []  # empty where the provider doesn't know it


def _mount_facts(container: Container) -> list[Cell]:
    if not container.mounts:
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
            for mount in container.mounts
        ),
    ]
