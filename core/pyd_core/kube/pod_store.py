"""Pods of a namespace, or of all: listed in pages, then kept up to date by a watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from pyd_core.errors import NotFound, ProtocolError, Refused, StreamInterrupted
from pyd_core.kube.changes import events_between
from pyd_core.kube.cluster_api import ClusterApi, Query, object_path
from pyd_core.kube.container_view import PodMember, age_key, members
from pyd_core.kube.failures import ListExpired
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import decode
from pyd_core.model.event import Event

MAX_PODS = 100_000
"""Pods that are kept; a server that reports more isn't believed."""


class PodStore:
    """The pods in sight.

    Args:
        api: The API server.
    """

    def __init__(self, api: ClusterApi) -> None:
        self.api = api
        self.namespace = api.access.scope
        """The namespace; empty for all."""
        self.query: Query = {}
        """The selectors of the pods in sight; empty selects all."""
        self._pods: dict[str, Pod] = {}
        self._members: dict[str, tuple[str, str]] = {}
        self._live = False

    @property
    def path(self) -> str:
        """The path of the list."""
        return object_path("pods", namespace=self.namespace)

    @property
    def qualified(self) -> bool:
        """Whether names have the namespace before them."""
        return not self.namespace

    @property
    def live(self) -> bool:
        """Whether a watch keeps the pods up to date."""
        return self._live

    def pods(self) -> list[Pod]:
        """Return all known pods, newest first."""
        return sorted(self._pods.values(), key=age_key)

    def members(self) -> Iterator[PodMember]:
        """Yield the containers of all known pods."""
        for pod in self.pods():
            yield from members(pod, qualified=self.qualified)

    async def refresh(self) -> str:
        """List the pods, and return the resource version of the list.

        Raises:
            Refused: The user may not list them.
            PydError: They can't be listed.
        """
        try:
            pods, version = await self.api.list(self.path, Pod, self.query)
        except Refused as error:
            if not self.namespace and error.reference == "cluster-forbidden":
                raise Refused(
                    error.message,
                    hint="name a namespace in which you may list pods: -H kube://CONTEXT/NAMESPACE",
                    reference=error.reference,
                ) from error
            raise
        self._pods.clear()
        self._members.clear()
        for pod in pods:
            self._keep(pod)
        return version

    async def pod(self, namespace: str, name: str) -> Pod:
        """Return a pod: the known one while a watch runs, else the server's answer."""
        if self._live and (pod := self._pods.get(f"{namespace}/{name}")) is not None:
            return pod
        pod = await self.api.get(object_path("pods", namespace=namespace, name=name), Pod)
        self._keep(pod)
        return pod

    async def member(self, identity: str) -> PodMember:
        """Return a container by the id that pyd gave it, or by a name.

        Raises:
            NotFound: There is none.
        """
        if identity not in self._members and not self._live:
            await self.refresh()
        if identity not in self._members:
            return self._by_name(identity)
        key, name = self._members[identity]
        namespace, _, pod_name = key.partition("/")
        pod = await self.pod(namespace, pod_name)
        for member in members(pod, qualified=self.qualified):
            if member.spec.name == name and member.id == identity:
                return member
        raise _no_such(identity)

    def known(self, identity: str) -> PodMember | None:
        """Return a container by its id as it was last seen, without a request."""
        key, name = self._members.get(identity, ("", ""))
        pod = self._pods.get(key)
        own = members(pod, qualified=self.qualified) if pod is not None else iter(())
        return next((member for member in own if member.spec.name == name), None)

    def _by_name(self, text: str) -> PodMember:
        from pyd_core.client.names import pick_container  # noqa: PLC0415 - it imports the engine client
        from pyd_core.kube.container_view import summary_of  # noqa: PLC0415 - with the above

        by_id = {member.id: member for member in self.members()}
        chosen = pick_container([summary_of(member) for member in by_id.values()], text)
        return by_id[chosen.id]

    async def changes(self) -> AsyncIterator[list[Event]]:
        """List the pods, then yield the events of each change; the first batch is empty and follows the list.

        Raises:
            StreamInterrupted: Changes were missed: the server has forgotten them. List again.
            PydError: The connection failed.
        """
        version = await self.refresh()
        self._live = True
        try:
            yield []
            while True:
                try:
                    async for event in self.api.watch(self.path, version, self.query):
                        pod = decode(bytes(event.object), Pod, what="watch")
                        version = pod.metadata.resource_version or version
                        if event.type == "BOOKMARK":
                            continue
                        yield self._apply(event.type, pod)
                except ListExpired as error:
                    raise StreamInterrupted(
                        "the API server has forgotten the changes since the last one", reference="watch-expired"
                    ) from error
                await asyncio.sleep(0)  # a server that ends every watch at once must not starve this process
        finally:
            self._live = False

    def _apply(self, kind: str, pod: Pod) -> list[Event]:
        key = pod.key
        before = self._pods.get(key)
        if kind == "DELETED":
            if before is not None:
                self._forget(before)
            return events_between(before or pod, None, qualified=self.qualified)
        if kind not in {"ADDED", "MODIFIED"}:
            raise ProtocolError(f"{self.api.where} sends an event of an unknown type")
        events: list[Event] = []
        if before is not None and before.metadata.uid != pod.metadata.uid:  # a stateful set's pod, for example
            self._forget(before)
            events, before = events_between(before, None, qualified=self.qualified), None
        self._keep(pod)
        return events + events_between(before, pod, qualified=self.qualified)

    def _keep(self, pod: Pod) -> None:
        if len(self._pods) >= MAX_PODS and pod.key not in self._pods:
            raise ProtocolError(f"{self.api.where} reports more than {MAX_PODS:,} pods")
        self._pods[pod.key] = pod
        for member in members(pod):
            self._members[member.id] = (pod.key, member.spec.name)

    def _forget(self, pod: Pod) -> None:
        self._pods.pop(pod.key, None)
        for member in members(pod):
            self._members.pop(member.id, None)


def _no_such(identity: str) -> NotFound:
    return NotFound(f"no such container: {identity[:12]}", reference="no-such-container")
