"""The dashboard over a scripted cluster with recorded pods, in this process, with clocks that stand still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Self

from pyd_core.client.endpoint import Endpoint
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_client import ClusterClient
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.theme.palettes import DARK
from support.dashboard import Counting, Opened
from support.kube import ages, tables
from support.kube.server import ScriptedCluster

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
"""About two hours after the records were made."""


class FrozenTime(datetime):
    """A clock that always shows `NOW`."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return `NOW`."""
        return cls.fromtimestamp(NOW.timestamp(), tz)


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the cluster."""
    for module in (ages, tables):
        monkeypatch.setattr(module, "datetime", FrozenTime)


def access(cluster: ScriptedCluster, namespace: str = "states") -> ClusterAccess:
    """Return the access to a scripted cluster."""
    settings = AccessSettings(server=cluster.url, token=cluster.token)
    return ClusterAccess(context="scripted", namespace=namespace, settings=settings)


@asynccontextmanager
async def cluster_dashboard(
    cluster: ScriptedCluster, *, namespace: str = "states", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Opened]:
    """Open the dashboard on a namespace of a cluster, and wait for its first picture."""
    endpoint = Endpoint(url=f"kube://scripted/{namespace}")
    link = EngineConnection(lambda: endpoint, lambda endpoint: ClusterClient(endpoint, access(cluster, namespace)))
    now_ns = int(NOW.timestamp()) * 10**9
    app = Counting((link,), clock=Clock(now=lambda: now_ns, zone=UTC), palette=DARK)
    async with app.run_test(size=size) as pilot:
        yield Opened(app, pilot)
