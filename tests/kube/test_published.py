"""The scripted server's answers, held to the published models and to the recorded answers of a real server."""

from __future__ import annotations

import json
import re
import urllib.request
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from support.kube.kubectl import Kubectl
from support.kube.process import ClusterProcess
from support.kube.records import STATES, state, state_names
from support.kube.resources import RESOURCES
from support.kube.tables import definitions, rows

TABLES: dict[str, Any] = json.loads((STATES.with_name("tables.json")).read_text())
LISTED = [name for name, resource in RESOURCES.items() if "list" in resource.verbs]


@pytest.mark.parametrize("name", [name for name in state_names() if state(name)["table"]])
def test_a_pod_s_row_is_that_of_the_recorded_server(name: str):
    record = state(name)
    (row,) = rows("pods", [record["pod"]])
    recorded = list(record["table"].values())
    # Ages count from now: only those cells differ.
    for index in (0, 1, 2, 5, 6, 7, 8):
        assert row["cells"][index] == recorded[index]
    assert row["cells"][3].partition(" ")[0] == recorded[3].partition(" ")[0]


@pytest.mark.parametrize("resource", sorted(TABLES))
def test_a_table_is_that_of_the_recorded_server(resource: str):
    recorded = TABLES[resource]
    columns = [
        {key: value for key, value in column.items() if key != "description"} for column in definitions(resource)
    ]
    assert columns == recorded["columns"]
    now = parsedate_to_datetime(recorded["date"])
    printed = {tuple(row["cells"]) for row in rows(resource, recorded["items"], now=now)}
    assert printed >= {tuple(cells) for cells in recorded["cells"]}


def test_every_answer_fits_the_published_models(cluster: ClusterProcess, kubectl: Kubectl):
    from support.kube.published import deviations

    kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2")
    kubectl("rollout", "status", "deploy/web")
    kubectl("expose", "deployment", "web", "--port=80")
    kubectl("create", "configmap", "settings", "--from-literal=a=1")
    kubectl("create", "job", "once", "--image=web:1")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "role", "reader", "--verb=get", "--resource=pods")
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(kubectl.json("get", "cm", "settings")))

    def get(path: str) -> Any:
        with urllib.request.urlopen(cluster.address + path) as answer:  # noqa: S310 - the address of the test
            return json.load(answer)

    for name in LISTED:
        resource = RESOURCES[name]
        prefix = "/apis/" if resource.group else "/api/"
        listed = get(f"{prefix}{resource.group_version}/{name}")
        assert deviations(listed) == [], name
    paths = ["/api", "/apis", "/api/v1", "/apis/apps/v1", "/apis/apps/v1/namespaces/states/deployments/web/scale"]
    for path in paths:
        assert deviations(get(path)) == [], path


def test_a_deviation_is_noticed():
    pytest.importorskip("kubernetes")
    from support.kube.published import deviations

    pod = {"kind": "Pod", "apiVersion": "v1", **state("running")["pod"]}
    assert deviations(pod) == []
    pod["spec"]["containers"][0] |= {"imagine": "x", "stdin": "yes"}
    del pod["spec"]["containers"][0]["name"]
    (unknown, *others) = deviations(pod)
    assert unknown == "Pod.spec.containers[0].imagine: no such field"
    assert [re.sub(r".*\]", "", text) for text in others] == [".name: missing", ".stdin: 'yes' is no bool"]
