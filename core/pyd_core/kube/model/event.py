"""Events of a cluster."""

from __future__ import annotations

from pyd_core.kube.model.meta import ClusterStruct, ObjectMeta
from pyd_core.model.base import parse_time


class ObjectReference(ClusterStruct):
    """Object that an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""
    """`spec.containers{app}` where a container is meant."""

    @property
    def container(self) -> str:
        """The container's name; empty where the whole object is meant."""
        _, brace, rest = self.field_path.partition("{")
        return rest.removesuffix("}") if brace else ""


class EventSource(ClusterStruct):
    """Component that reported an event."""

    component: str = ""
    host: str = ""


class EventSeries(ClusterStruct):
    """Repetitions of an event."""

    count: int = 0
    last_observed_time: str | None = None


class ClusterEvent(ClusterStruct):
    """Event of `v1`. The scheduler sets only `event_time`, the kubelet only the other two times."""

    metadata: ObjectMeta = ObjectMeta()
    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    type: str = ""
    """`Normal` or `Warning`."""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    source: EventSource = EventSource()
    reporting_component: str = ""
    series: EventSeries | None = None

    @property
    def time_ns(self) -> int:
        """The time of its last occurrence, nanoseconds since the epoch; 0 where none is given."""
        last = self.series.last_observed_time if self.series is not None else None
        for text in (last, self.last_timestamp, self.event_time, self.first_timestamp):
            if text and (time_ns := parse_time(text)) is not None:
                return time_ns
        return self.metadata.created_ns or 0

    @property
    def occurrences(self) -> int:
        """The number of occurrences."""
        return max(self.count or 1, self.series.count if self.series is not None else 1)
