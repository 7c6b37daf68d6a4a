from __future__ import annotations

import base64

import pytest
import yaml

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


def test_texts_of_several_lines_are_blocks():
    text = to_yaml({"data": {"app.yml": "level: info\nports:\n- 80\n", "open": "a\n\n  b"}})
    assert text == "data:\n  app.yml: |\n    level: info\n    ports:\n    - 80\n  open: |-\n    a\n\n      b\n"


HOSTILE = (
    *(
        "\n",
        "\na",
        " a\nb",
        "a\n\n\n",
        "a \nb",
        "a\n \nb",
        "a\r\nb\r\n",
        "\ta\n\tb",
        "a\tb\nc",
        "# a\n# b\n",
        "---\n...\n",
    ),
    *(
        "a\x1b[2J\nb",
        "a\u2028b\nc",
        "a\x85b\nc",
        "\ufeffa\nb",
        "a\n\u202eb",
        "a\n\U0001f600\n",
        "x" * 3000 + "\ny: z",
        "%YAML\n",
    ),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_what_it_is(text: str):
    document = {"data": {"before": "x", "text": text, "list": [text, {"deep": text}], "after": "y"}}
    written = to_yaml(document)
    assert yaml.safe_load(written) == document
    assert "\x1b" not in written
