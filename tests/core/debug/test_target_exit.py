"""The description of the exit of a session's target."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import BlockingTransport, run_now
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.target_exit import describe_exit
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from support.fake_engine import FakeEngine, Reply, answer_json

ID = "c" * 64
TARGET = RemoteTarget(Container(id=ID, name_="/web", state=ContainerState(status="running", running=True, pid=41)))
GONE = answer_json({"message": "No such container"}, status="404 Not Found")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        # Between two lives the engine counts it as running: a wait would be for its next end, a minute away perhaps.
        ({"Status": "restarting", "Running": True, "Pid": 0, "ExitCode": 3}, "has ended with exit code 3"),
        ({"Status": "exited", "Pid": 0, "ExitCode": 137}, "has ended with exit code 137, killed by SIGKILL"),
        ({"Status": "running", "Running": True, "Pid": 42}, "has ended and was started again"),
        # The engine hasn't heard of it yet.
        ({"Status": "running", "Running": True, "Pid": 41}, "has ended with exit code 5"),
        (None, "has ended and was removed"),
    ],
)
def test_the_exit_is_described_from_the_engines_latest_state(
    tmp_path: Path, state: dict[str, object] | None, expected: str
):
    known = GONE if state is None else answer_json({"Id": ID, "Name": "/web", "State": state})
    replies: dict[str, Reply] = {f"/containers/{ID}/json": known, f"/containers/{ID}/wait": GONE}
    if state is not None and state["Pid"] == 41:
        replies[f"/containers/{ID}/wait"] = answer_json({"StatusCode": 5})
    with FakeEngine(tmp_path / "e.sock", replies) as engine:
        containers = ContainersApi(ApiClient(BlockingTransport(Endpoint(url=engine.url)), where=engine.url))
        assert (
            run_now(describe_exit(containers, TARGET)).removesuffix("; the session ended with it") == f"web {expected}"
        )
