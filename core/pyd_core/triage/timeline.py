"""Time line of a container's run."""

from __future__ import annotations

from pyd_core.humanize import lifetime, size
from pyd_core.model.base import parse_time
from pyd_core.triage.codes import signal_name
from pyd_core.triage.evidence import Case, Item


def timeline(case: Case) -> list[Item]:
    """Return created, started, signals, out-of-memory kills, faults and death of the judged run, oldest first."""
    container, run = case.container, case.run
    items: list[Item] = []
    created = parse_time(container.created)
    if created is not None:
        items.append(Item(source="inspect", time_ns=created, text="created"))
    if run.started_ns is not None:
        items.append(Item(source="inspect", time_ns=run.started_ns, text="started"))
    items += [
        Item(source="events", time_ns=kill.time_ns, text=f"the engine sent {signal_name(kill.signal)}")
        for kill in run.kills
    ]
    items += [
        Item(
            source="kernel log", time_ns=oom.time_ns, text=f"out of memory: killed {oom.name} ({size(oom.anon_bytes)})"
        )
        for oom in case.ooms
    ]
    items += [
        Item(source="kernel log", time_ns=fault.time_ns, text=f"{fault.name}: {fault.kind}") for fault in case.faults
    ]
    if case.cgroup is not None and case.cgroup.memory_peak is not None:
        items.append(
            Item(
                source="cgroup",
                time_ns=run.ended_ns or case.now_ns,
                text=f"peak memory {size(case.cgroup.memory_peak)}",
            )
        )
    if run.ended_ns is not None:
        lived = "" if run.seconds is None else f" {lifetime(run.seconds)}"
        items.append(Item(source="inspect", time_ns=run.ended_ns, text=f"exited with code {run.code}{lived}"))
    items.sort(key=lambda item: item.time_ns or 0)
    return items
