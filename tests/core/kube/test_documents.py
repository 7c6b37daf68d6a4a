from __future__ import annotations

import base64

from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.discovery import find_resource
from pyd_core.kube.documents import fetch_document, presentable, to_yaml
from pyd_core.kube.tables import fetch_table
from support.kube.server import ScriptedCluster

VALUE = "hunter2-very-secret"


def secret() -> dict[str, object]:
    encoded = base64.b64encode(VALUE.encode()).decode()
    return {
        "kind": "Secret",
        "metadata": {
            "name": "db",
            "namespace": "states",
            "managedFields": [{}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": encoded, "team": "a"},
        },
        "data": {"password": encoded, "odd": "not base64!"},
        "stringData": {"plain": VALUE},
    }


def test_no_value_of_a_secret_is_shown():
    text = to_yaml(presentable(secret()))
    assert VALUE not in text
    assert base64.b64encode(VALUE.encode()).decode() not in text
    assert f"({len(VALUE)} bytes)" in text
    assert "managedFields" not in text
    assert "team: a" in text


def test_what_is_masked_is_a_copy():
    original = secret()
    presentable(original)
    assert original["stringData"] == {"plain": VALUE}


async def test_any_resource_is_found_and_listed_as_a_table(cluster: ScriptedCluster, api: ClusterApi):
    for number in range(5):
        cluster.objects.put("secrets", secret() | {"metadata": {"name": f"s{number}", "namespace": "states"}})
    cluster.max_page = 2
    resource = await find_resource(api, "Secret")
    table = await fetch_table(api, resource)
    assert [row.cells[0] for row in table.rows] == [f"s{number}" for number in range(5)]
    document = await fetch_document(api, resource.path("states", "s1"))
    assert VALUE not in to_yaml(document)
    assert (await find_resource(api, "deployments.apps")).group == "apps/v1"
