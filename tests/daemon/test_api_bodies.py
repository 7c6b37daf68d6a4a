"""Bodies of requests as strangers' clients write them: taken and refused alike on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.api import Api
from support.docker import LABEL, Docker, busybox_files

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("bodies", busybox_files(), 'CMD ["/bin/sh"]', "WORKDIR /tmp", directories=("tmp", "etc"))


@pytest.fixture(scope="module")
def api(both: Docker) -> Iterator[Api]:
    with Api(both) as api:
        yield api


def created(api: Api, both: Docker, short: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make a container, and return what inspect says of it once it is removed again."""
    name = both.name(short)
    answer = api.post("/containers/create", params={"name": name}, json={"Labels": {LABEL: both.prefix}, **body})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = api.get(f"/containers/{name}/json").json()
    both("rm", name)
    return shown


TAKES_JSON = ["commit", "containers/create", "containers/nosuch/exec", "containers/nosuch/update", "exec/nosuch/start"]


@pytest.mark.parametrize("path", TAKES_JSON)
def test_invalid_json_is_refused(api: Api, path: str):
    """Version 0.1 took a body of any content type."""
    for body, headers, words in (
        ("{}", {"Content-Type": "text/plain"}, "unsupported Content-Type header (text/plain): must be 'application/js"),
        ("{}", {"Content-Type": ""}, "malformed Content-Type header (): mime: no media type"),
        ("{invalid json", JSON, "invalid JSON: invalid character 'i' looking for beginning of object key string"),
        ('{"a" 1}', JSON, "invalid JSON: invalid character '1' after object key"),
        ('{"a": 1 1}', JSON, "invalid JSON: invalid character '1' after object key:value pair"),
        ('{"a": x}', JSON, "invalid JSON: invalid character 'x' looking for beginning of value"),
        ('{"a": 1', JSON, "invalid JSON: unexpected EOF"),
        ("{} trailing content", JSON, "unexpected content after JSON"),
    ):
        status, message = api.refusal("POST", f"/{path}", content=body, headers=headers)
        assert (status, words in message) == (400, True), (body, message)
    assert api.post(f"/{path}", content=b"", headers=JSON).status_code < 500


def test_a_container_of_nothing_is_refused(api: Api):
    empty = "config cannot be empty in order to create a container"
    assert api.refusal("POST", "/containers/create", json={}) == (400, empty)
    assert api.refusal("POST", "/containers/create", json={"HostConfig": {}}) == (400, empty)
    assert api.refusal("POST", "/containers/create", json={"Image": ""}) == (400, "no command specified")


def test_a_command_may_be_one_text(api: Api, both: Docker, image: str):
    """Version 0.1 refused `"Cmd": "ls"`."""
    shown = created(api, both, "text", {"Image": image, "Cmd": "ls", "Entrypoint": "echo"})
    assert (shown["Config"]["Cmd"], shown["Config"]["Entrypoint"]) == (["ls"], ["echo"])
    assert (shown["Path"], shown["Args"]) == ("echo", ["ls"])
    shown = created(api, both, "rights", {"Image": image, "HostConfig": {"CapAdd": "NET_ADMIN", "CapDrop": "ALL"}})
    assert (shown["HostConfig"]["CapAdd"], shown["HostConfig"]["CapDrop"]) == (["NET_ADMIN"], ["ALL"])


def test_a_host_configuration_next_to_the_configuration_counts_as_with_oldest_clients(
    api: Api, both: Docker, image: str
):
    refused = api.refusal("POST", "/containers/create", json={"Image": image, "Memory": 524287})
    assert refused == (400, "Minimum memory limit allowed is 6MB")
    body = {"Image": image, "Memory": 64 << 20, "CpuShares": 100, "Cpuset": "0", "Env": [], "OnBuild": None}
    for nested in ({}, {"HostConfig": {"Privileged": False}}):
        host = created(api, both, "nested", {**body, **nested})["HostConfig"]
        assert [host[name] for name in ("Memory", "MemorySwap", "CpuShares", "CpusetCpus")] == [
            64 << 20, 128 << 20, 100, "0",
        ]  # fmt: skip


SETS: dict[str, Any] = {
    "Binds": [], "CapAdd": [], "CapDrop": [], "Devices": [], "Dns": [], "DnsOptions": [], "DnsSearch": [],
    "ExtraHosts": [], "GroupAdd": [], "PortBindings": {}, "SecurityOpt": [], "Ulimits": [],
    "VolumesFrom": [], "BlkioWeightDevice": [], "DeviceRequests": [], "DeviceCgroupRules": [],
}  # fmt: skip


def test_absent_fields_are_null_and_empty_ones_stay_empty(api: Api, both: Docker, image: str):
    """Version 0.1 showed `[]` for all of them; docker-py's users compare with None."""
    host = created(api, both, "null", {"Image": image})["HostConfig"]
    assert {name: host[name] for name in SETS} == dict.fromkeys(SETS)
    host = created(api, both, "empty", {"Image": image, "HostConfig": SETS})["HostConfig"]
    assert {name: host[name] for name in SETS} == SETS


LEFT_TO_THE_ENGINE = {"MaskedPaths", "ReadonlyPaths"}


def test_inspect_has_docker_engines_fields(docker: Docker):
    """Names of fields, and for each whether it is null, an empty list, or something."""
    shapes = []
    for corner in (Docker(), docker):
        with Api(corner) as api:
            image = corner.image("fields", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
            shown = created(api, corner, "fields", {"Image": image, "Cmd": ["true"]})
            shapes.append(shape(shown))
            corner("rmi", image)
    theirs, ours = shapes
    assert json.dumps(ours, indent=1, sort_keys=True) == json.dumps(theirs, indent=1, sort_keys=True)


def shape(value: Any, key: str = "") -> Any:
    """Return an answer without the values that always differ: ids, times, paths, numbers."""
    if isinstance(value, dict):
        return {name: shape(item, name) for name, item in value.items() if name not in LEFT_TO_THE_ENGINE}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return type(value).__name__
