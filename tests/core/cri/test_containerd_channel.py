"""Tests of the connection to containerd."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.node_client import NodeClient
from pyd_core.errors import EngineUnavailable


@pytest.mark.parametrize("scheme", ["cri", "containerd"])
async def test_a_client_is_created_in_a_thread_without_a_loop(scheme: str, tmp_path: Path):
    endpoint = Endpoint(url=f"{scheme}://{tmp_path}/none.sock")
    client = await asyncio.to_thread(NodeClient, endpoint)
    async with client:
        with pytest.raises(EngineUnavailable):
            await client.containers.list(all=True)


async def test_a_client_that_made_no_call_is_closed(tmp_path: Path):
    client = await asyncio.to_thread(NodeClient, Endpoint(url=f"cri://{tmp_path}/none.sock"))
    await client.aclose()
