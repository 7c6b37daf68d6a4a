"""The view of a cluster's workloads: their rollouts, and what changes them."""

from __future__ import annotations

from pyd_core.errors import InvalidInput
from pyd_core.kube.container_view import WORKLOAD_LABEL
from pyd_core.kube.workloads import WorkloadEntry, list_workloads, restart, roll_back, rollout_of, scale, suspend
from pyd_core.model.event import Event
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.resources.cluster.tables import age, cluster_of, deletions, remover, yaml_lines

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=16, max_width=60, priority=0),
    LayoutColumn(key="kind", title="KIND", min_width=9, max_width=12, priority=2),
    LayoutColumn(key="namespace", title="NAMESPACE", min_width=9, max_width=24, priority=4, optional=True),
    LayoutColumn(key="ready", title="READY", min_width=5, max_width=11, priority=1, right=True),
    LayoutColumn(key="rollout", title="ROLLOUT", min_width=10, max_width=50, priority=1),
    LayoutColumn(key="age", title="AGE", min_width=3, max_width=8, priority=3, right=True),
    LayoutColumn(key="image", title="IMAGE", min_width=20, max_width=60, priority=5, cut_start=True),
)


def row(entry: WorkloadEntry, context: LoadContext, *, with_namespace: bool) -> Row:
    """Return the row of a workload."""
    metadata = entry.workload.metadata
    text, well = rollout_of(entry)
    images = ", ".join(container.image for container in entry.workload.spec.template.spec.containers)
    counts = f"{entry.ready}/{entry.desired}" if entry.kind != "cronjob" else ""
    short = entry.ready < entry.desired and entry.kind != "job"
    cells = (
        cell(metadata.name, "strong"),
        cell(entry.kind, "dim"),
        cell(metadata.namespace, "dim") if with_namespace else EMPTY,
        cell(counts, "warn" if short else "text"),
        cell(text, "text" if well else "bad"),
        cell(age(metadata.created_ns, context.clock) if metadata.created_ns else "", "dim"),
        cell(images, "dim"),
    )
    words = " ".join([entry.name, *(f"{key}={value}" for key, value in metadata.labels.items())])
    key = f"{metadata.namespace}/{entry.name}"
    return Row(key=key, name=entry.name, cells=cells, thing=entry, words=words)


def entry_of(row: Row) -> WorkloadEntry:
    """Return the workload of a row."""
    assert isinstance(row.thing, WorkloadEntry)  # noqa: S101 - what `row` put there
    return row.thing


async def _load(context: LoadContext) -> list[Row]:
    api = cluster_of(context).cluster
    entries = await list_workloads(api)
    return [row(entry, context, with_namespace=not api.access.scope) for entry in entries]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    return await yaml_lines(context, entry_of(row).path)


async def _logs(context: LoadContext, row: Row) -> dict[str, str]:
    """Return the containers of a workload's pods."""
    entry = entry_of(row)
    return {
        info.id: info.name
        for info in context.link.containers.values()
        if info.labels.get(WORKLOAD_LABEL) == entry.name
        and info.labels.get("io.kubernetes.pod.namespace") == entry.workload.metadata.namespace
    }


async def _scale(context: LoadContext, row: Row, words: tuple[str, ...]) -> str:
    if not words or not words[0].isdecimal():
        raise InvalidInput("write :scale and a number", hint=f"the number of pods of {row.name}")
    await scale(cluster_of(context).cluster, entry_of(row), int(words[0]))
    return f"scaled {row.name} to {words[0]}"


async def _restart(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    await restart(cluster_of(context).cluster, entry_of(row))
    return f"restarting {row.name}, one pod after another"


async def _roll_back(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    revision = await roll_back(cluster_of(context).cluster, entry_of(row))
    return f"rolling {row.name} back to revision {revision}"


async def _suspend(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    await suspend(cluster_of(context).cluster, entry_of(row), suspended=True)
    return f"suspended {row.name}"


async def _resume(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    await suspend(cluster_of(context).cluster, entry_of(row), suspended=False)
    return f"resumed {row.name}"


def refreshed_by(event: Event) -> bool:
    """Return whether an event may change a workload's counts."""
    return event.type in {"container", *("deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob")}


def _path(row: Row) -> str:
    return entry_of(row).path


def _uid(row: Row) -> str:
    return entry_of(row).workload.metadata.uid


WORKLOADS = ResourceView(
    name="workloads",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no workloads",
    delay_s=1.0,
    logs=_logs,
    remove=remover(_path, _uid),
    plans=deletions(_path, _uid),
    commands={
        "scale": _scale,
        "restart": _restart,
        "rollback": _roll_back,
        "suspend": _suspend,
        "resume": _resume,
    },
)
