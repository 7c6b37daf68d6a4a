"""Pods of a namespace, or of all: listed in pages, then kept up to date by a watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from pyd_core.errors import NotFound, ProtocolError, PydError, Refused, StreamInterrupted
from pyd_core.kube.changes import events_between
from pyd_core.kube.cluster_api import ClusterApi, Query, object_path
from pyd_core.kube.container_view import PodMember, age_key, members
from pyd_core.kube.failures import ListExpired
from pyd_core.kube.model.listed_pod import ListedPod
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.pod_listing import PodListing
from pyd_core.kube.pod_sharing import PodSharing
from pyd_core.model.base import decode
from pyd_core.model.event import Event

MAX_PODS = 100_000
"""Pods that are kept; a server that reports more isn't believed."""

MAX_FETCHED_PODS = 16
"""Complete pods that are kept while the list is restricted."""


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
        self._form: type[Pod] = Pod
        self._sharing = PodSharing()
        self._fetched: dict[tuple[str, str], Pod] = {}
        """Pods of which more than what lists show was fetched, by key and resource version."""
        self.listing: PodListing | None = None
        """The current list, of which pages may still arrive; None before the first one."""

    def restrict(self) -> None:
        """Keep only what lists show of each pod from now on: half of the memory of thousands of pods."""
        self._form = ListedPod

    @property
    def restricted(self) -> bool:
        """Whether only what lists show is kept."""
        return self._form is ListedPod

    def listed(self, keys: Iterable[str]) -> list[Pod]:
        """Return those of some pods that are still known."""
        return [pod for key in keys if (pod := self._pods.get(key)) is not None]

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

    async def settle(self) -> None:
        """Wait for the list that is under way, or list the pods where none is and no watch runs.

        Raises:
            PydError: They can't be listed.
        """
        if self.listing is not None and not self.listing.complete:
            async for _ in self.listing.pages():
                pass
        elif not self._live:
            await self.refresh()

    async def refresh(self) -> str:
        """List the pods, and return the resource version of the list.

        Raises:
            Refused: The user may not list them.
            PydError: They can't be listed.
        """
        versions = [version async for version in self._refresh()]
        return versions[-1] if versions else ""

    async def _refresh(self) -> AsyncIterator[str]:
        """List the pods, and yield the resource version of the list after each page."""
        listing = self.listing = PodListing()
        self._sharing = PodSharing()
        version = ""
        seen: set[str] = set()
        try:
            async for pods, meta in self.api.pages(self.path, self._form, self.query):
                version = meta.resource_version or version
                keys = [self._keep(pod) for pod in pods]
                seen.update(keys)
                listing.add(keys)
                yield version
        except PydError as error:
            listing.finish(error := self._explained(error))
            raise error from None
        for key in self._pods.keys() - seen:
            self._forget(self._pods[key])
        listing.finish()

    def _explained(self, error: PydError) -> PydError:
        if self.namespace or not isinstance(error, Refused) or error.reference != "cluster-forbidden":
            return error
        return Refused(
            error.message,
            hint="name a namespace in which you may list pods: -H kube://CONTEXT/NAMESPACE",
            reference=error.reference,
        )

    async def pod(self, namespace: str, name: str, *, listed: bool = False) -> Pod:
        """Return a pod: the known one while a watch runs, else the server's answer.

        Args:
            namespace: The pod's namespace.
            name: The pod's name.
            listed: Whether what lists show of it is enough.
        """
        known = self._pods.get(f"{namespace}/{name}") if self._live else None
        if known is not None and (listed or not isinstance(known, ListedPod)):
            return known
        if known is not None and (pod := self._fetched.get((known.key, known.metadata.resource_version))) is not None:
            return pod
        pod = await self.api.get(object_path("pods", namespace=namespace, name=name), Pod)
        if not isinstance(known, ListedPod):
            self._keep(pod)
            return pod
        while len(self._fetched) >= MAX_FETCHED_PODS:
            del self._fetched[next(iter(self._fetched))]
        self._fetched[pod.key, pod.metadata.resource_version] = pod
        return pod

    async def member(self, identity: str, *, listed: bool = False) -> PodMember:
        """Return a container by the id that pyd gave it, or by a name.

        Args:
            identity: The id or name.
            listed: Whether what lists show of its pod is enough.

        Raises:
            NotFound: There is none.
        """
        if identity not in self._members and not self._live:
            await self.refresh()
        if identity not in self._members:
            identity = self._by_name(identity).id
        key, name = self._members[identity]
        namespace, _, pod_name = key.partition("/")
        pod = await self.pod(namespace, pod_name, listed=listed)
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
        """List the pods, then yield the events of each change; an empty batch follows each page of the list.

        Raises:
            StreamInterrupted: Changes were missed: the server has forgotten them. List again.
            PydError: The connection failed.
        """
        version = ""
        async for listed_version in self._refresh():
            version = listed_version
            yield []
        self._live = True
        try:
            yield []
            while True:
                try:
                    async for event in self.api.watch(self.path, version, self.query):
                        pod = decode(bytes(event.object), self._form, what="watch")
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
        kept = self._pods[self._keep(pod)]
        return events + events_between(before, kept, qualified=self.qualified)

    def _keep(self, pod: Pod) -> str:
        """Store a pod, and return its key."""
        key = pod.key
        before = self._pods.get(key)
        if before is None and len(self._pods) >= MAX_PODS:
            raise ProtocolError(f"{self.api.where} reports more than {MAX_PODS:,} pods")
        if before is not None and before.metadata.uid != pod.metadata.uid:
            self._forget(before)
        self._pods[key] = self._sharing.share(pod) if isinstance(pod, ListedPod) else pod
        for member in members(pod):
            self._members[member.id] = (key, member.spec.name)
        return key

    def _forget(self, pod: Pod) -> None:
        self._pods.pop(pod.key, None)
        for member in members(pod):
            self._members.pop(member.id, None)


def _no_such(identity: str) -> NotFound:
    return NotFound(f"no such container: {identity[:12]}", reference="no-such-container")
