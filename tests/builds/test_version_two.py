"""`/build?version=2` on both engines: BuildKit for clients that send a context with the request, and cancel by name."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from builds.conftest import Builders
from pyd_core.buildkit.proto.control_pb2 import StatusResponse
from support.api import TIMEOUT_S, Api
from support.docker import Docker
from support.pydd import Pydd

TRACE, IMAGE = "moby.buildkit.trace", "moby.image.id"


@pytest.fixture(params=["docker", "pydd"])
def engine(request: pytest.FixtureRequest, builders: Builders) -> Docker:
    chosen: Docker = getattr(builders, request.param)
    return chosen


@pytest.fixture
def api(engine: Docker) -> Iterator[Api]:
    with Api(engine) as client:
        yield client


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def build(api: Api, content: bytes = b"", **query: Any) -> list[dict[str, Any]]:
    response = api.post("/build", params={"version": "2", **query}, content=content)
    assert response.status_code == 200, response.text
    return [json.loads(record) for record in response.text.splitlines()]


def traced(records: list[dict[str, Any]]) -> list[StatusResponse]:
    return [StatusResponse.FromString(base64.b64decode(item["aux"])) for item in records if item.get("id") == TRACE]


def output(records: list[dict[str, Any]]) -> bytes:
    return b"".join(log.msg for status in traced(records) for log in status.logs)


def test_the_context_of_the_request_becomes_an_image_with_its_options(
    api: Api, engine: Docker, builders: Builders
) -> None:
    step = "RUN echo by $WHO; grep peer /etc/hosts; ulimit -n"
    dockerfile = f"FROM {builders.base} AS wanted\nARG WHO\nCOPY f /f\n{step}\nFROM wanted\nRUN exit 1\n"
    context = archive(f="content", **{"b.Dockerfile": dockerfile})
    query = {
        "dockerfile": "b.Dockerfile", "target": "wanted", "buildargs": '{"WHO": "me", "NONE": null}',
        "labels": '{"x": "y, z"}', "extrahosts": "peer:10.1.2.3", "networkmode": "none",
        "ulimits": '[{"Name": "nofile", "Soft": 100, "Hard": 200}]',
    }  # fmt: skip
    tag = engine.name("two")
    records = build(api, context, t=[f"{tag}:1", f"{tag}:2"], **query)
    image = engine.inspect(f"{tag}:1")
    assert records[-1] == {"id": IMAGE, "aux": {"ID": image["Id"]}}
    assert engine.inspect(f"{tag}:2")["Id"] == image["Id"]
    assert image["Config"]["Labels"]["x"] == "y, z"
    assert output(records).splitlines() == [b"by me", b"10.1.2.3\tpeer", b"100"]
    again = build(api, context, **query)
    cached = {
        vertex.name: vertex.cached
        for status in traced(again)
        for vertex in status.vertexes
        if vertex.HasField("completed")
    }
    assert all(is_cached for name, is_cached in cached.items() if "] COPY" in name or "] RUN" in name), cached
    quiet = build(api, context, q="1", **query)
    assert [record["stream"][:7] for record in quiet] == ["sha256:"]
    engine("rmi", "-f", f"{tag}:1", f"{tag}:2")


def test_a_dockerfile_is_a_context(api: Api, builders: Builders) -> None:
    records = build(api, f"FROM {builders.base}\nRUN echo lone\n".encode())
    assert b"lone" in output(records)
    assert records[-1]["id"] == IMAGE


def test_a_failed_step_ends_the_stream_with_its_error(api: Api, builders: Builders) -> None:
    for query in ({}, {"q": "1"}):
        records = build(api, f"FROM {builders.base}\nRUN echo seen; exit 7\n".encode(), **query)
        assert b"seen" in output(records)
        assert "did not complete successfully: exit code: 7" in records[-1]["error"]
        assert records[-1]["errorDetail"]["message"] == records[-1]["error"]


def test_another_request_brings_the_context(api: Api, engine: Docker, builders: Builders) -> None:
    context = archive(Dockerfile=f"FROM {builders.base}\nCOPY f /\nRUN cat /f\n", f="uploaded")
    name = engine.name("named")
    with Api(engine) as other, ThreadPoolExecutor() as pool:
        upload = pool.submit(
            other.post, "/build", content=context,
            params={"version": "2", "remote": "upload-request", "buildid": f"upload-request:{name}"},
        )  # fmt: skip
        records = build(api, remote="upload-request", buildid=name)
        assert (upload.result().status_code, upload.result().content) == (200, b"")
    assert b"uploaded" in output(records)


def test_a_build_is_cancelled_by_its_name(api: Api, engine: Docker, builders: Builders) -> None:
    name = engine.name("cancelled")
    begun = threading.Event()

    def read() -> list[dict[str, Any]]:
        records = []
        query = {"version": "2", "buildid": name}
        content = f"FROM {builders.base}\nRUN echo begun; sleep 4711\n".encode()
        with api.stream("POST", "/build", params=query, content=content) as response:
            for line in response.iter_lines():
                records.append(json.loads(line or "{}"))
                if b"begun" in output(records):
                    begun.set()
        return records

    with Api(engine) as other, ThreadPoolExecutor() as pool:
        reading = pool.submit(read)
        assert begun.wait(TIMEOUT_S)
        assert other.post("/build/cancel", params={"id": name}).status_code == 200
        assert any(record.get("error") == "context canceled" for record in reading.result())
        assert other.post("/build/cancel", params={"id": "unknown"}).status_code == 200
        assert other.refusal("POST", "/build/cancel") == (400, "build ID not provided")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"version": "3"}, 'invalid version "3"'),
        ({"outputs": "x"}, "invalid outputs specified"),
        ({"outputs": '[{"Type": "local"}, {"Type": "tar"}]'}, "multiple outputs not supported"),
        ({"networkmode": "web"}, 'network mode "web" not supported by buildkit'),
        ({"squash": "1"}, "squash is only supported with experimental mode"),
        ({"version": "1", "remote": "client-session"}, "is no longer supported, use builder version v2"),
        ({"remote": "upload-request", "buildid": "lone"}, "context deadline exceeded"),
        ({"remote": "upload-request", "buildid": "upload-request:lone"}, "context deadline exceeded"),
    ],
)
def test_what_can_not_be_built_is_refused_in_the_same_words(api: Api, query: dict[str, str], words: str) -> None:
    content = archive(Dockerfile="FROM scratch\nCOPY . /\n")
    _, message = api.refusal("POST", "/build", params={"version": "2", **query}, content=content)
    assert words in message


def test_an_image_for_an_unknown_session_is_refused(builders: Builders) -> None:
    with Api(builders.pydd) as api:
        query = {"version": "2", "remote": "client-session", "session": "nobody"}
        assert api.refusal("POST", "/build", params=query) == (404, "no active session for nobody")


@pytest.mark.parametrize("link", ["/etc", "../../../../etc"])
def test_a_hostile_context_reaches_nothing_outside(builders: Builders, link: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("up")
        entry.type, entry.linkname = tarfile.SYMTYPE, link
        tar.addfile(entry)
        entry = tarfile.TarInfo("up/pyd-was-here")
        tar.addfile(entry)
        dockerfile = f"FROM {builders.base}\nADD http://buildkit-session/other /\n".encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        tar.addfile(entry, io.BytesIO(dockerfile))
    with Api(builders.pydd) as api:
        records = build(api, buffer.getvalue())
    assert "error" in records[-1]
    assert not Path("/etc/pyd-was-here").exists()


def test_a_client_that_leaves_ends_the_build_and_leaves_nothing(builders: Builders, pydd: Pydd) -> None:
    content = f"FROM {builders.base}\nRUN echo begun; sleep 4712\n".encode()
    with Api(builders.pydd) as api, api.stream("POST", "/build", params={"version": "2"}, content=content) as response:
        records = []
        for line in response.iter_lines():
            records.append(json.loads(line or "{}"))
            if b"begun" in output(records):
                break
    deadline = time.monotonic() + TIMEOUT_S
    while sleeping() or list(_spool(pydd)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sleeping() -> bool:
    return subprocess.run(["pgrep", "-fx", "sleep 4712"], capture_output=True, check=False).returncode == 0


def _spool(engine: Pydd) -> Iterator[Path]:
    """Yield the files with received contexts."""
    [spool] = engine.config.root.glob("*/spool")
    return spool.iterdir()
