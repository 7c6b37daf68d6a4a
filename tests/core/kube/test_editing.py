from __future__ import annotations

from typing import Any

import pytest

from pyd_core.errors import Conflict, InvalidInput, Unsupported
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.deletion import delete_object
from pyd_core.kube.editing import EditedObject
from support.kube.server import ScriptedCluster

PATH = object_path("configmaps", namespace="states", name="settings")


def settings() -> dict[str, Any]:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    metadata = {"name": "settings", "namespace": "states", "uid": "uid-1", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mode": "slow"}}


async def test_a_change_is_shown_as_the_server_would_store_it_before_it_is_made(
    cluster: ScriptedCluster, api: ClusterApi
):
    cluster.objects.put("configmaps", settings())
    edited = await EditedObject.fetch(api, PATH)
    assert "last-applied" not in edited.text
    change = await edited.try_out(edited.text.replace("slow", "fast"))
    assert "-  mode: slow" in change.lines
    assert "+  mode: fast" in change.lines
    stored = cluster.objects.get("configmaps", "states", "settings")
    assert stored is not None
    assert stored["data"] == {"mode": "slow"}
    await edited.apply(change)
    stored = cluster.objects.get("configmaps", "states", "settings")
    assert stored is not None
    assert stored["data"] == {"mode": "fast"}
    assert "kubectl.kubernetes.io/last-applied-configuration" in stored["metadata"]["annotations"]


async def test_an_object_that_changed_meanwhile_is_not_overwritten(cluster: ScriptedCluster, api: ClusterApi):
    cluster.objects.put("configmaps", settings())
    edited = await EditedObject.fetch(api, PATH)
    text = edited.text.replace("slow", "fast")
    cluster.objects.put("configmaps", {**settings(), "data": {"mode": "other"}})
    with pytest.raises(Conflict):
        await edited.try_out(text)


@pytest.mark.parametrize("text", ["a: [", "[]", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}", "x: 1"])
async def test_an_edit_that_is_no_such_object_is_refused(cluster: ScriptedCluster, api: ClusterApi, text: str):
    cluster.objects.put("configmaps", settings())
    edited = await EditedObject.fetch(api, PATH)
    with pytest.raises(InvalidInput):
        await edited.try_out(text)
    assert not [line for line in cluster.requests if line.startswith("PUT")]


async def test_secrets_are_not_edited(cluster: ScriptedCluster, api: ClusterApi):
    cluster.objects.put("secrets", {**settings(), "kind": "Secret"})
    with pytest.raises(Unsupported):
        await EditedObject.fetch(api, object_path("secrets", namespace="states", name="settings"))


async def test_a_deletion_names_the_object_that_was_looked_at(cluster: ScriptedCluster, api: ClusterApi):
    cluster.objects.put("configmaps", settings())
    with pytest.raises(Conflict):
        await delete_object(api, PATH, "uid-of-another", propagation="Orphan")
    await delete_object(api, PATH, "uid-1", propagation="Foreground")
    assert cluster.objects.get("configmaps", "states", "settings") is None
