"""Requests made up from the contract, right and wrong in every field: none may break the engine, no answer may have a
shape the contract doesn't know. `nox -s contract` runs it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from support.docker import QUICK, Docker, busybox_files
from support.pydd import Pydd

SPEC = Path(__file__).parents[1] / "core/model/spec/docker-engine-api-v1.45.yaml"
STREAMS = r"/(attach|attach/ws|wait|session|auth|push)$|/exec/{id}/start|/distribution/|/images/(create|search)"
"""What never ends, takes the connection over, or asks a registry: tested by hand elsewhere."""


@schemathesis.serializer("application/x-tar")
def archive(_: Any, value: Any) -> bytes:
    """Anything but an archive."""
    return bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode("utf-8", "replace")


schema = schemathesis.openapi.from_path(SPEC).exclude(path_regex=STREAMS)


@dataclass
class Things:
    """An object of each noun, created again after a request removed it."""

    docker: Docker
    image: str
    http: httpx.Client

    def _there(self, path: str) -> Any:
        answer = self.http.get(path)
        return answer.json() if answer.status_code == 200 else None

    def container(self) -> str:
        name = self.docker.name("subject")
        container = self._there(f"/containers/{name}/json")
        if container is None or container["State"]["Status"] != "running":
            self.docker("rm", "-f", name, check=False)
            self.docker("run", "-d", "--name", name, *QUICK, self._image(), "sleep", "100000")
        return name

    def _image(self) -> str:
        if self._there(f"/images/{self.image}/json") is None:
            self.image = self.docker.image("contract", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        return self.image

    def network(self) -> str:
        name = self.docker.name("net")
        if self._there(f"/networks/{name}") is None:
            self.docker("network", "create", name)
        return name

    def volume(self) -> str:
        name = self.docker.name("vol")
        self.docker("volume", "create", name)
        return name

    def exec(self) -> str:
        body = {"Cmd": ["true"]}
        response = self.http.post(f"/containers/{self.container()}/exec", json=body)
        return str(response.json()["Id"])

    def named(self, path: str) -> str | None:
        """Return an existing name for a path's variable part, in half of the cases."""
        for prefix, make in (
            ("/containers/", self.container),
            ("/images/", self._image),
            ("/networks/", self.network),
            ("/volumes/", self.volume),
            ("/exec/", self.exec),
        ):
            if path.startswith(prefix):
                return make()
        return None


@pytest.fixture(scope="module")
def things() -> Iterator[Things]:
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        transport = httpx.HTTPTransport(uds=str(engine.config.socket_path))
        with httpx.Client(transport=transport, base_url="http://engine/v1.45", timeout=20) as http:
            things = Things(docker, docker.name("contract") + ":1", http)
            yield things
        for listing, removal in ((("ps", "-aq"), ("rm", "-fv")), (("volume", "ls", "-q"), ("volume", "rm", "-f"))):
            container = docker(*listing).split()
            if container:
                docker(*removal, *container)
        docker("network", "prune", "-f")


def tame(case: Any, things: Things) -> None:
    """Point a case at something that exists, and keep it from endless streams and the host's files."""
    if case.path_parameters and next(iter(case.path_parameters.values())).__hash__ and len(str(case.query)) % 2 == 0:
        key = next(iter(case.path_parameters))
        case.path_parameters[key] = things.named(case.path) or case.path_parameters[key]
    for name in ("follow", "stream"):
        if isinstance(case.query, dict):
            case.query.pop(name, None)
    if case.path == "/containers/{id}/stats":
        case.query = {**(case.query or {}), "stream": "false"}
    if case.path == "/events":
        case.query = {**(case.query or {}), "until": "1"}
    if case.path == "/containers/create" and isinstance(case.body, dict):
        case.body["Image"] = things._image()
        host = case.body.get("HostConfig")
        if isinstance(host, dict):
            for name in ("Binds", "Mounts"):
                host.pop(name, None)


def without_nulls(value: Any) -> Any:
    """An answer without the fields that are null; lists that are null as a whole are empty."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return [] if value is None else value


@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("PYD_EXAMPLES", "30")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_engine_and_every_answer_has_the_contracts_shape(case: Any, things: Things):
    tame(case, things)
    sent = case.as_transport_kwargs()
    body = sent.get("json")
    url = "/" + case.formatted_path.lstrip("/")
    try:
        answer = things.http.request(
            sent["method"],
            url,
            params=sent.get("params"),
            headers={name: str(value) for name, value in sent["headers"].items()},
            content=json.dumps(body).encode() if body is not None else sent.get("data"),
        )
    except (httpx.InvalidURL, UnicodeEncodeError):
        return  # no client can send it
    report = f"{sent['method']} {answer.url} {json.dumps(body)[:2000]} -> {answer.status_code} {answer.text[:500]}"
    expected = {
        500: "cannot remove the default link name",  # as Docker Engine answers
        501: "not served",
        503: "not part of a swarm",  # the contract's own, of /swarm/leave
    }
    assert answer.status_code < 500 or expected.get(answer.status_code, "\0") in answer.text, report
    if answer.is_redirect:
        return  # to the same path without doubled slashes, as Docker Engine answers
    if case.path.endswith("/events") or sent["method"] in ("HEAD", "OPTIONS"):
        return  # a stream of JSON texts; no body
    if answer.status_code >= 400:
        assert list(answer.json()) == ["message"], report
        return
    if case.path == "/exec/{id}/json" and answer.json()["ExitCode"] is None:
        return  # while it runs, as Docker Engine has it and docker-py reads it, whatever the contract says
    if answer.headers.get("content-type") == "application/json":
        # Docker Engine has nulls where the contract promises lists and maps, and so has this one.
        answer._content = json.dumps(without_nulls(answer.json())).encode()
    try:
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
    except (Failure, FailureGroup) as failed:
        raise AssertionError(f"{report}\n{failed}") from None
