"""Collection of a pod's facts: its status, events, node and volume claims."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pyd_core.errors import NotFound, PydError
from pyd_core.kube.cluster_api import object_path
from pyd_core.kube.container_view import PodMember
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.model.meta import AnyObject
from pyd_core.kube.model.node import ClusterNode
from pyd_core.kube.model.service import ClusterService
from pyd_core.kube.pod_source import PodSource
from pyd_core.kube.workloads import list_workloads
from pyd_core.triage.evidence import Case, UnavailableSource
from pyd_core.triage.pods.facts import PodFacts

if TYPE_CHECKING:
    from pyd_core.triage.scan import Issue

MAX_EVENTS = 200
"""Events kept of a pod, the newest."""
MAX_CLAIMS = 20
"""Volume claims of a pod that are looked up."""


class ClusterEvidence:
    """Events and nodes of a cluster, each read once for all pods.

    Args:
        client: The cluster.
        all_events: List the events of all pods at once, for a scan.
    """

    def __init__(self, client: PodSource, *, all_events: bool = False) -> None:
        self._client = client
        self._all_events = all_events
        self._listed: list[ClusterEvent] | None = None
        self._events: dict[str, list[ClusterEvent]] = {}
        self._nodes: dict[str, ClusterNode | PydError] = {}

    async def events(self, member: PodMember) -> list[ClusterEvent]:
        """Return a pod's events, oldest first.

        Raises:
            PydError: They can't be listed.
        """
        metadata = member.pod.metadata
        if self._all_events:
            await self.all_events()
            own = self._events.get(metadata.uid, [])
        else:
            path = object_path("events", namespace=metadata.namespace)
            query = {"fieldSelector": f"involvedObject.name={metadata.name}"}
            listed, _ = await self._client.cluster.list(path, ClusterEvent, query)
            # A pod of a stateful set has the name of the one before it.
            own = [event for event in listed if event.involved_object.uid == metadata.uid]
        return sorted(own, key=lambda event: event.time_ns)[-MAX_EVENTS:]

    async def all_events(self) -> list[ClusterEvent]:
        """Return the events of all objects in sight, listed once.

        Raises:
            PydError: They can't be listed.
        """
        if self._listed is None:
            path = object_path("events", namespace=self._client.feed.store.namespace)
            self._listed, _ = await self._client.cluster.list(path, ClusterEvent)
            for event in self._listed:
                self._events.setdefault(event.involved_object.uid, []).append(event)
        return self._listed

    async def issues(self) -> tuple[list[Issue], list[UnavailableSource]]:
        """Return the issues of workloads and services, and the sources that can't be read."""
        from pyd_core.triage.pods.service_issues import service_issues  # noqa: PLC0415 - only for scans
        from pyd_core.triage.pods.workload_issues import workload_issues  # noqa: PLC0415 - only for scans

        store = self._client.feed.store
        issues: list[Issue] = []
        unread: list[UnavailableSource] = []
        try:
            issues += workload_issues(await list_workloads(self._client.cluster), await self.all_events())
        except PydError as error:
            unread.append(UnavailableSource(source="workloads", reason=error.message, would_tell="stuck rollouts"))
        try:
            path = object_path("services", namespace=store.namespace)
            services, _ = await self._client.cluster.list(path, ClusterService)
            issues += service_issues(services, store.pods())
        except PydError as error:
            would_tell = "services without endpoints"
            unread.append(UnavailableSource(source="services", reason=error.message, would_tell=would_tell))
        return issues, unread

    async def node(self, name: str) -> ClusterNode:
        """Return a node.

        Raises:
            PydError: It can't be read.
        """
        if name not in self._nodes:
            try:
                self._nodes[name] = await self._client.cluster.get(object_path("nodes", name=name), ClusterNode)
            except PydError as error:
                self._nodes[name] = error
        known = self._nodes[name]
        if isinstance(known, PydError):
            raise known
        return known

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Watch the pods for the time of a scan, so that no container needs requests of its own."""
        async with self._client.feed.subscribe():
            yield

    async def collect(self, case: Case) -> None:
        """Add the facts of a container's pod to its case."""
        store = self._client.feed.store
        member = None if store.restricted else store.known(case.container.id)
        member = member or await store.member(case.container.id)
        facts = case.pod = PodFacts(member=member)
        try:
            facts.events = tuple(await self.events(member))
        except PydError as error:
            would_tell = "what the scheduler and the kubelet reported"
            case.unread.append(UnavailableSource(source="pod events", reason=error.message, would_tell=would_tell))
        await _read_node(case, facts, self)
        facts.missing_claims = await _missing_claims(facts, self._client)


async def _read_node(case: Case, facts: PodFacts, evidence: ClusterEvidence) -> None:
    """Read the node of a pod that isn't ready or is being deleted."""
    pod = facts.pod
    ready = pod.condition("Ready")
    well = ready is not None and ready.status == "True" and pod.metadata.deletion_timestamp is None
    if not pod.spec.node_name or facts.finished or well:
        return
    try:
        facts.node = await evidence.node(pod.spec.node_name)
    except PydError as error:
        would_tell = "whether the pod's node answers and is short of a resource"
        case.unread.append(UnavailableSource(source="node", reason=error.message, would_tell=would_tell))


async def _missing_claims(facts: PodFacts, client: PodSource) -> tuple[str, ...]:
    """Return the volume claims of a pod without a node that don't exist."""
    pod = facts.pod
    if pod.spec.node_name:
        return ()
    claims = [volume.persistent_volume_claim for volume in pod.spec.volumes]
    missing = []
    for name in [claim.claim_name for claim in claims if claim is not None][:MAX_CLAIMS]:
        try:
            path = object_path("persistentvolumeclaims", namespace=pod.metadata.namespace, name=name)
            await client.cluster.get(path, AnyObject)
        except NotFound:
            missing.append(name)
        except PydError:
            return ()
    return tuple(missing)
