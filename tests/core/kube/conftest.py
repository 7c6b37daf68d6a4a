from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_api import ClusterApi
from support.kube.server import ScriptedCluster


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[ScriptedCluster]:
    async with ScriptedCluster() as server:
        yield server


@pytest_asyncio.fixture
async def api(cluster: ScriptedCluster) -> AsyncIterator[ClusterApi]:
    access = ClusterAccess(
        context="scripted", namespace="states", settings=AccessSettings(server=cluster.url, token=cluster.token)
    )
    client = ClusterApi(access)
    yield client
    await client.aclose()
