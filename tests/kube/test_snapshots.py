"""Every view, dialog and state of a cluster as pictures, in four sizes."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from support.dashboard import Opened
from support.kube.cluster_dashboard import cluster_dashboard, freeze
from support.kube.pod_status import node
from support.kube.records import state_names
from support.kube.server import ScriptedCluster
from support.scenes import in_sizes

if TYPE_CHECKING:
    import pytest
    from syrupy.assertion import SnapshotAssertion

SIZES = ((60, 20), (80, 24), (120, 40), (200, 60))
CREATED = "2026-11-30T20:00:00Z"
DIALOG_SIZES = ((60, 20), (120, 40))


def meta(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "states", "uid": f"uid-{name}", "creationTimestamp": CREATED, **more}


def deployment(name: str, replicas: int, ready: int, *, message: str = "") -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "app", "image": f"registry.test/{name}:1"}]}}
    conditions = [
        {
            "type": "Progressing",
            "status": "False",
            "reason": "ProgressDeadlineExceeded",
            "message": message,
            "lastTransitionTime": CREATED,
        }
    ]
    status = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": ready}
    return {
        "metadata": meta(name, generation=1),
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
        "status": {**status, "availableReplicas": ready, "conditions": conditions if message else []},
    }


@pytest_asyncio.fixture
async def cluster(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedCluster]:
    freeze(monkeypatch)
    async with ScriptedCluster() as server:
        for name in ("default", "kube-system", "states"):
            server.objects.put(
                "namespaces", {"metadata": {"name": name, "creationTimestamp": CREATED}, "status": {"phase": "Active"}}
            )
        yield server


@pytest_asyncio.fixture
async def full(cluster: ScriptedCluster) -> ScriptedCluster:
    """All recorded pods, and an object or two of each kind."""
    for name in state_names():
        cluster.load_state(name)
    put = cluster.objects.put
    put("nodes", node())
    sick = node("old-node")
    sick["spec"] = {"unschedulable": True}
    sick["status"]["conditions"][0] |= {"status": "True", "reason": "KubeletHasInsufficientMemory"}
    put("nodes", sick)
    put("deployments", deployment("web", 3, 3))
    put("deployments", deployment("stuck", 2, 1, message='ReplicaSet "stuck-7879864bdf" has timed out progressing.'))
    put(
        "services",
        {
            "metadata": meta("web"),
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "10.96.0.10",
                "selector": {"app": "web"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
            },
        },
    )
    put(
        "configmaps", {"metadata": meta("settings"), "data": {"app.yml": "level: info\nports:\n- 80\n", "mode": "fast"}}
    )
    secret = base64.b64encode(b"hunter2-secret").decode()
    put("secrets", {"metadata": meta("db"), "type": "Opaque", "data": {"password": secret}})
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "fast",
    }
    put("persistentvolumeclaims", {"metadata": meta("data"), "spec": claim, "status": {"phase": "Pending"}})
    rule = {
        "host": "shop.test",
        "http": {
            "paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
            ]
        },
    }
    put("ingresses", {"metadata": meta("shop"), "spec": {"rules": [rule]}})
    return cluster


async def settled(dashboard: Opened, count: int = 0) -> None:
    """Wait until the list is there, judged, and nothing moves."""
    await dashboard.until_shown("live")
    if count:
        await dashboard.until(lambda: len(dashboard.app.link.containers) >= count)
    await dashboard.at_rest(1.0)


VIEWS = (
    ("2", "workloads", "web"),
    ("3", "services", "10.96.0.10"),
    ("4", "nodes", "old-node"),
    ("5", "events", ""),
    ("6", "configmaps", "settings"),
    ("7", "secrets", "(14 bytes)"),
    ("8", "claims", "fast"),
    ("9", "ingresses", "shop.test"),
    ("0", "namespaces", "kube-system"),
)


async def test_sizes(picture: SnapshotAssertion, full: ScriptedCluster):
    async with cluster_dashboard(full) as dashboard:
        await settled(dashboard, 40)
        await in_sizes(dashboard, picture, "containers", SIZES)
        await dashboard.press("exclamation_mark")
        await dashboard.at_rest(1.0)
        await in_sizes(dashboard, picture, "broken", SIZES)
        await dashboard.press("exclamation_mark")
        for key, name, shown in VIEWS:
            await dashboard.resize(120, 40)
            await dashboard.press(key)
            if shown:
                await dashboard.until_shown(shown)
            await dashboard.at_rest(0.5)
            await in_sizes(dashboard, picture, name, SIZES)


async def test_details(picture: SnapshotAssertion, full: ScriptedCluster):
    async with cluster_dashboard(full) as dashboard:
        await settled(dashboard, 40)
        await dashboard.press("slash")
        await dashboard.type("crashloop")
        await dashboard.press("enter")
        await dashboard.at_rest(1.0)
        await in_sizes(dashboard, picture, "filtered", SIZES)
        await dashboard.press("w")
        await dashboard.at_rest(1.0)
        await in_sizes(dashboard, picture, "why", SIZES)
        await dashboard.press("q")
        await dashboard.press("enter")
        await dashboard.at_rest(1.0)
        await in_sizes(dashboard, picture, "overview", SIZES)


async def test_dialogs(picture: SnapshotAssertion, full: ScriptedCluster):
    async with cluster_dashboard(full) as dashboard:
        await settled(dashboard, 40)
        await dashboard.press("full_stop")
        await dashboard.at_rest(0.5)
        await in_sizes(dashboard, picture, "menu", DIALOG_SIZES)
        await dashboard.press("escape")
        await dashboard.resize(120, 40)
        await dashboard.press("x")
        await dashboard.until_shown("Delete pod ")
        await in_sizes(dashboard, picture, "remove", DIALOG_SIZES)
        await dashboard.press("escape")
        await dashboard.resize(120, 40)
        await dashboard.press("4")
        await dashboard.until_shown("old-node")
        await dashboard.at_rest(0.5)
        await dashboard.press("full_stop")
        await dashboard.at_rest(0.5)
        await in_sizes(dashboard, picture, "node-menu", DIALOG_SIZES)
        await dashboard.press("escape")
        await dashboard.resize(120, 40)
        await dashboard.press("question_mark")
        await dashboard.at_rest(0.5)
        await in_sizes(dashboard, picture, "help", DIALOG_SIZES)


async def test_empty_refused_and_lost(picture: SnapshotAssertion, cluster: ScriptedCluster):
    async with cluster_dashboard(cluster, size=(80, 24)) as dashboard:
        await settled(dashboard)
        await in_sizes(dashboard, picture, "empty", SIZES)
        for key, name, _ in VIEWS[:3]:
            await dashboard.resize(80, 24)
            await dashboard.press(key)
            await dashboard.at_rest(0.5)
            await in_sizes(dashboard, picture, f"{name}-empty", ((80, 24),))
        cluster.deny("list", "secrets")
        await dashboard.press("7")
        await dashboard.at_rest(0.5)
        await in_sizes(dashboard, picture, "secrets-refused", DIALOG_SIZES)
