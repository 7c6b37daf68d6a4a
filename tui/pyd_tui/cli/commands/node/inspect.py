"""`pyd node inspect`."""

from __future__ import annotations

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.swarm.inspect_command import inspect_command
from pyd_tui.cli.swarm.names import NodeName


async def _inspect(engine: EngineClient, name: str) -> bytes:
    if name == "self":
        name = (await engine.system.info()).swarm.node_id
    return await engine.nodes.inspect_raw(name)


command = inspect_command("node", NodeName(), _inspect)
