"""Client of a cluster: a provider of containers (`client/provider.py`)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import ClassVar, Self

from pyd_core.client.capabilities import Capability
from pyd_core.client.endpoint import Endpoint
from pyd_core.kube.access import ClusterAccess
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.cluster_system import ClusterSystem
from pyd_core.kube.kubeconfig import choose_access
from pyd_core.kube.pod_containers import PodContainers
from pyd_core.kube.pod_execs import PodExecs
from pyd_core.kube.pod_feed import PodFeed
from pyd_core.kube.pod_store import PodStore
from pyd_core.kube.subject import parse_subject, pods_query


class ClusterClient:
    """A cluster as a provider of containers: those of the pods of a namespace, or of all.

    Args:
        endpoint: `kube://CONTEXT/NAMESPACE`.
        access: The API server and the user; by default those of the kubeconfig.
        may_ask: Whether credential plugins may use the terminal.
    """

    family: ClassVar[str] = "cluster"
    lacks: ClassVar[frozenset[str]] = frozenset(
        {
            "start",
            "stop",
            "pause",
            "resume",
            "connect",
            "disconnect",
            "kill",
            "rename",
            "limits",
            "recreate",
            "commit",
            "pull",
            "compose",
            "export",
            "demo",
        }
    )

    def __init__(self, endpoint: Endpoint, access: ClusterAccess | None = None, *, may_ask: bool = False) -> None:
        self.endpoint = endpoint
        access = access or choose_access(endpoint.url)
        self.cluster = ClusterApi(access, read_only=endpoint.read_only, may_ask=may_ask)
        self.feed = PodFeed(PodStore(self.cluster))
        self.containers = PodContainers(self.feed)
        self.execs = PodExecs(self.feed.store)
        self.system = ClusterSystem(self.feed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def connect(self) -> int | None:
        """Reach the API server, and return its clock."""
        await self.system.version()
        try:
            return int(parsedate_to_datetime(self.cluster.server_date).timestamp()) * 10**9
        except ValueError:
            return None

    async def can(self, capability: Capability) -> bool:
        """Return whether a cluster has a capability."""
        return capability is Capability.KUBERNETES

    async def narrow(self, subject: str = "", *, labels: str = "") -> None:
        """Keep only the pods of a subject in sight, such as `deploy/web`, or those that a label selector names.

        Raises:
            NotFound: There is no such object, or it selects no pods.
            InvalidInput: Its namespace isn't known.
        """
        store = self.feed.store
        if labels:
            store.query = {"labelSelector": labels}
        else:
            store.query = await pods_query(self.cluster, parse_subject(subject))

    async def aclose(self) -> None:
        """Close all connections."""
        await self.feed.aclose()
        await self.cluster.aclose()
