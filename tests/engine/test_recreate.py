from __future__ import annotations

import json
from typing import Any

import pytest

from pyd_core.client import recreate as module
from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.recreate import Changes, recreate, undo
from pyd_core.errors import EngineError, PydError, Refused
from support.docker import LONE, Docker

OPTIONS = (*LONE, "-e", "KEEP=1", "-e", "DROP=2", "-e", "TURN=3", "-l", "com.example.a=b", "--cap-drop", "CHOWN")


def inspected(corner: Docker, name: str) -> Any:
    return json.loads(corner("inspect", name))[0]


async def test_a_container_runs_again_with_changes_and_can_be_brought_back(
    corner: Docker, shell: str, monkeypatch: pytest.MonkeyPatch
):
    name = corner.run("again", shell, "sleep", "600", options=(*OPTIONS, "-v", "/data"))
    corner("exec", name, "sh", "-c", "echo kept > /data/file")
    changes = Changes(
        command=["sleep", "700"],
        env={"DROP": None, "TURN": "4 and more", "NEW": "5"},
        host={"Memory": 64 << 20, "MemorySwap": 64 << 20},
    )
    async with open_engine(Endpoint(url=corner.host)) as engine:
        before = inspected(corner, name)
        created = await recreate(engine, name, changes)
        after = inspected(corner, name)
        assert after["Id"] == created.new != before["Id"] == created.old
        assert after["Config"]["Cmd"] == ["sleep", "700"]
        env = set(after["Config"]["Env"])
        assert {"KEEP=1", "TURN=4 and more", "NEW=5"} <= env
        assert not any(item.startswith("DROP=") for item in env)
        assert after["HostConfig"]["Memory"] == 64 << 20
        assert after["Config"]["Labels"]["com.example.a"] == "b"
        assert after["HostConfig"]["CapDrop"] == before["HostConfig"]["CapDrop"]
        assert corner("exec", name, "cat", "/data/file") == "kept"
        assert not inspected(corner, created.old)["State"]["Running"]

        with monkeypatch.context() as patience:
            patience.setattr(module, "MIN_UPTIME_S", 120.0)  # a slow machine takes longer than a second to end anything
            with pytest.raises(EngineError, match="ended at once with 3"):
                await recreate(engine, name, Changes(command=["sh", "-c", "exit 3"]))
        with pytest.raises(PydError):
            await recreate(engine, name, Changes(image="no.such.invalid/image:1"))
        assert inspected(corner, name)["Id"] == created.new
        assert inspected(corner, name)["State"]["Running"]

        await undo(engine, created)
        back = inspected(corner, name)
        assert (back["Id"], back["State"]["Running"]) == (created.old, True)
        known = corner("ps", "-a", "--format", "{{.Names}}").split()
        assert [item for item in known if item.startswith(name)] == [name]
    async with open_engine(Endpoint(url=corner.host, read_only=True)) as reader:
        with pytest.raises(Refused):
            await recreate(reader, name, changes)
        assert inspected(corner, name)["State"]["Running"]
    corner("rm", "-f", "-v", name)
