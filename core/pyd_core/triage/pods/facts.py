"""Facts about a container's pod, which rules test."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pyd_core.kube.container_view import PodMember
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.model.node import ClusterNode
from pyd_core.kube.model.pod import ContainerStatus, Pod, TerminatedState, WaitingState
from pyd_core.triage.evidence import Item

MAX_MESSAGE_LENGTH = 4000
"""Characters that are read of a message of the cluster."""


class PodFacts(msgspec.Struct, kw_only=True):
    """The pod of a container, with its events and node.

    Attributes:
        member: The container in its pod.
        events: The pod's events, oldest first.
        node: The pod's node, where it was read.
        missing_claims: The names of volume claims that the pod uses and that don't exist.
    """

    member: PodMember
    events: tuple[ClusterEvent, ...] = ()
    node: ClusterNode | None = None
    missing_claims: tuple[str, ...] = ()

    @property
    def pod(self) -> Pod:
        """The pod."""
        return self.member.pod

    @property
    def status(self) -> ContainerStatus | None:
        """The status of the container."""
        return self.member.status

    @property
    def waiting(self) -> WaitingState | None:
        """The state of a container that waits."""
        return self.status.state.waiting if self.status is not None else None

    @property
    def ended(self) -> TerminatedState | None:
        """The end of the container's last run, if it isn't running."""
        status = self.status
        if status is None or status.state.running is not None:
            return None
        return status.state.terminated or status.last_state.terminated

    @property
    def finished(self) -> bool:
        """Whether the pod as such has ended."""
        return self.pod.status.phase in {"Succeeded", "Failed"}

    def events_of(self, *reasons: str) -> Iterator[ClusterEvent]:
        """Yield the events of this container or of its pod as such with one of these reasons, newest first."""
        for event in reversed(self.events):
            if event.reason in reasons and event.involved_object.container in {"", self.member.spec.name}:
                yield event

    def item(self, text: str, time_ns: int | None = None) -> Item:
        """Return a fact of the pod's status as evidence."""
        return Item(source="pod", text=text[:MAX_MESSAGE_LENGTH], time_ns=time_ns)


def event_item(event: ClusterEvent) -> Item:
    """Return an event as evidence."""
    times = f" ({event.occurrences} times)" if event.occurrences > 1 else ""
    text = f"{event.reason}: {event.message[:MAX_MESSAGE_LENGTH].strip()}{times}"
    return Item(source="pod events", text=text, time_ns=event.time_ns or None)
