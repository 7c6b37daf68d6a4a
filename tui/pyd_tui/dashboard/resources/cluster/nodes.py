"""The view of a cluster's nodes: pressure, capacity, cordon and drain."""

from __future__ import annotations

from pyd_core.client.provider import Provider
from pyd_core.humanize import compact_size
from pyd_core.kube.cluster_api import object_path
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.model.node import ClusterNode
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.nodes import cordon, evict, plan_drain, pods_on
from pyd_core.kube.quantity import parse_quantity
from pyd_core.model.event import Event
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell
from pyd_tui.dashboard.resources.base import BulkPlan, LoadContext, PruneCandidate, ResourceView, Row
from pyd_tui.dashboard.resources.cluster.tables import age, cluster_of, yaml_lines

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=14, max_width=60, priority=0),
    LayoutColumn(key="state", title="STATE", min_width=10, max_width=50, priority=0),
    LayoutColumn(key="use", title="NEW PODS", min_width=8, max_width=9, priority=1),
    LayoutColumn(key="cpus", title="CPUS", min_width=4, max_width=6, priority=3, right=True),
    LayoutColumn(key="memory", title="MEM", min_width=5, max_width=6, priority=3, right=True),
    LayoutColumn(key="pods", title="MAX PODS", min_width=4, max_width=8, priority=4, right=True),
    LayoutColumn(key="taints", title="TAINTS", min_width=6, max_width=40, priority=5, optional=True),
    LayoutColumn(key="version", title="VERSION", min_width=7, max_width=18, priority=4),
    LayoutColumn(key="runtime", title="RUNTIME", min_width=8, max_width=24, priority=6),
    LayoutColumn(key="age", title="AGE", min_width=3, max_width=8, priority=5, right=True),
)


def row(node: ClusterNode, context: LoadContext) -> Row:
    """Return the row of a node."""
    problems = node.problems
    good = not problems
    role: Role = "good" if good else "bad"
    memory = parse_quantity(node.status.allocatable.get("memory"))
    cpus = parse_quantity(node.status.allocatable.get("cpu"))
    created_ns = node.metadata.created_ns
    info = node.status.node_info
    taints = ", ".join(f"{taint.key}:{taint.effect}" for taint in node.spec.taints)
    cells: tuple[Cell, ...] = (
        cell(node.metadata.name, "strong"),
        (Span("● " if good else "✗ ", role), *cell(", ".join(problems) or "ready", role)),
        cell("no" if node.spec.unschedulable else "yes", "warn" if node.spec.unschedulable else "text"),
        cell("" if cpus is None else f"{cpus:g}", "dim"),
        cell("" if memory is None else compact_size(memory), "dim"),
        cell(str(node.status.allocatable.get("pods", "")), "dim"),
        cell(taints, "dim"),
        cell(info.kubelet_version, "dim"),
        cell(info.container_runtime_version, "dim"),
        cell(age(created_ns, context.clock) if created_ns else "", "dim"),
    )
    return Row(key=node.metadata.name, name=node.metadata.name, cells=cells, thing=node)


async def _load(context: LoadContext) -> list[Row]:
    nodes, _ = await cluster_of(context).cluster.list(object_path("nodes"), ClusterNode)
    return [row(node, context) for node in nodes]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    return await yaml_lines(context, object_path("nodes", name=row.key))


async def _cordon(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    await cordon(cluster_of(context).cluster, row.key, unschedulable=True)
    return f"{row.name} takes no new pods"


async def _uncordon(context: LoadContext, row: Row, _: tuple[str, ...]) -> str:
    await cordon(cluster_of(context).cluster, row.key, unschedulable=False)
    return f"{row.name} takes new pods again"


async def _drain(context: LoadContext, row: Row) -> BulkPlan:
    """Return what a drain of a node does: it keeps new pods away, and evicts each pod that can move."""
    plan = plan_drain(await pods_on(cluster_of(context).cluster, row.key))
    scratch = {pod.key for pod in plan.scratch}

    async def keep_away(engine: Provider) -> None:
        assert isinstance(engine, ClusterClient)  # noqa: S101 - only clusters have this view
        await cordon(engine.cluster, row.key, unschedulable=True)

    def eviction(pod: Pod) -> PruneCandidate:
        async def remove(engine: Provider) -> None:
            assert isinstance(engine, ClusterClient)  # noqa: S101 - as above
            await keep_away(engine)  # before the pod is created again, or it might come back here
            await evict(engine.cluster, pod)

        note = " (loses its emptyDir data)" if pod.key in scratch else ""
        return PruneCandidate(f"evict {pod.key}{note}", None, remove)

    left = [
        *([f"{counted(len(plan.staying), 'pod')} of daemon sets and static pods stay"] if plan.staying else []),
        *([f"{counted(len(plan.lost), 'pod')} without a workload stay, delete them by hand"] if plan.lost else []),
    ]
    question = f"Drain {row.name}? {counted(len(plan.evicted), 'pod')} will be evicted." + "".join(
        f" {text[:1].upper()}{text[1:]}." for text in left
    )
    steps = [PruneCandidate(f"cordon {row.name}", None, keep_away), *map(eviction, plan.evicted)]
    return BulkPlan(question=question, verb="drain", done="drained", steps=steps)


def refreshed_by(event: Event) -> bool:
    """Return whether an event is about a node."""
    return event.type == "node"


CLUSTER_NODES = ResourceView(
    name="nodes",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=refreshed_by,
    empty="no nodes",
    plans={"drain": _drain},
    commands={"cordon": _cordon, "uncordon": _uncordon},
)
