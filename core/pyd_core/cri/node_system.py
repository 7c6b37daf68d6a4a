"""The runtime of a node itself: version and events."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.node_container import NodeContainer, start_of
from pyd_core.cri.node_source import NodeSource
from pyd_core.cri.proto import cri_grpc, cri_pb2, events_grpc, events_pb2, version_grpc
from pyd_core.errors import PydError, StreamInterrupted
from pyd_core.model.event import Actor, Event
from pyd_core.model.system import CONTAINERD, Info, Platform, Version
from pyd_core.tasks import TaskOwner

Filters = Mapping[str, list[str]]

MAX_WAITING_EVENTS = 10_000
MAX_EVENT_BYTES = 1 << 16

_ACTIONS = {
    "/containers/create": "create",
    "/containers/delete": "destroy",
    "/tasks/start": "start",
    "/tasks/exit": "die",
    "/tasks/oom": "oom",
    "/tasks/paused": "pause",
    "/tasks/resumed": "unpause",
}


class NodeSystem:
    """Version, facts and events of a runtime.

    Args:
        connection: The connection to it.
        source: Its containers.
        cri: Whether it is asked through the Container Runtime Interface.
    """

    def __init__(self, connection: ContainerdChannel, source: NodeSource, *, cri: bool) -> None:
        self._connection = connection
        self._source = source
        self._cri = cri
        self._names: dict[str, dict[str, str]] = {}
        """Attributes of known containers, so that the event of a removal has its name."""

    async def version(self) -> Version:
        """Return the runtime's version."""
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        with self._connection.calls():
            if self._cri:
                about = await cri_grpc.RuntimeServiceStub(self._connection.channel).Version(
                    cri_pb2.VersionRequest(), timeout=CALL_TIMEOUT_S
                )
                name, number = about.runtime_name, about.runtime_version
            else:
                response = await version_grpc.VersionStub(self._connection.channel).Version(
                    Empty(), timeout=CALL_TIMEOUT_S
                )
                name, number = CONTAINERD, response.version
        return Version(
            version=number.removeprefix("v"), os="linux", arch=machine, components=[], platform=Platform(name=name)
        )

    async def info(self) -> Info:
        """Return the facts of the node."""
        version = await self.version()
        return Info(
            name=platform.node(),
            server_version=version.version,
            ncpu=os.cpu_count() or 0,
            mem_total=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            architecture=platform.machine(),
            kernel_version=platform.release(),
        )

    @asynccontextmanager
    async def events(
        self, *, since: str | None = None, until: str | None = None, filters: Filters | None = None, follow: bool = True
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Stream the changes of containers; of the past, what their states still show.

        The stream is live once the block is entered.
        """
        filters = filters or {}
        if until is not None or not follow:
            yield self._past(_nanoseconds(since), _nanoseconds(until), filters)
            return
        async with TaskOwner(on_error=lambda _: None) as tasks:
            queue: asyncio.Queue[Event | PydError] = asyncio.Queue(MAX_WAITING_EVENTS)
            tasks.start(self._pump(queue), name="events of the runtime")
            # containerd confirms no subscription; its next response on the same connection comes after it began.
            await self.version()
            if (since_ns := _nanoseconds(since)) is not None:
                async for event in self._past(since_ns, None, {}):
                    queue.put_nowait(event)

            async def read() -> AsyncIterator[Event]:
                while True:
                    item = await queue.get()
                    if isinstance(item, PydError):
                        raise item
                    if _matches(item, filters):
                        yield item

            yield read()

    async def _pump(self, queue: asyncio.Queue[Event | PydError]) -> None:
        """Copy the runtime's events to a queue, and then the error that ended them."""
        request = events_pb2.SubscribeRequest(filters=[f"namespace=={self._connection.namespace}"])
        try:
            for container in await self._source.list():
                self._names[container.id] = _attributes(container)
            with self._connection.calls():
                stub = events_grpc.EventsStub(self._connection.channel)
                async with stub.Subscribe.open(metadata=self._connection.metadata()) as stream:
                    await stream.send_message(request, end=True)
                    async for envelope in stream:
                        if (event := await self._event(envelope)) is not None:
                            await queue.put(event)
        except PydError as error:
            await queue.put(error)
        else:
            await queue.put(StreamInterrupted("the runtime ended its events"))

    async def _event(self, envelope: events_pb2.Envelope) -> Event | None:
        """Return an event of a container; None for others, such as those of pods' sandboxes and of commands."""
        action = _ACTIONS.get(envelope.topic)
        if action is None or len(envelope.event.value) > MAX_EVENT_BYTES:
            return None
        try:
            payload = events_pb2.TaskExit.FromString(_payload(action, envelope.event.value))
        except DecodeError:
            return None
        identity = payload.container_id
        exit_code: int | None = None
        if action == "die":
            if payload.id != identity:
                return None  # a command that ran in it
            exit_code = payload.exit_status
        attributes = self._names.get(identity)
        if attributes is None:
            try:
                attributes = _attributes(await self._source.get(identity))
            except PydError:
                return None  # a sandbox, or gone already
            self._names[identity] = attributes
        if action == "destroy":
            self._names.pop(identity, None)
        return _event_of(
            identity, action, envelope.timestamp.seconds * 10**9 + envelope.timestamp.nanos, attributes, exit_code
        )

    async def _past(self, since_ns: int | None, until_ns: int | None, filters: Filters) -> AsyncIterator[Event]:
        events: list[Event] = []
        for listed in await self._source.list():
            try:
                container = await self._source.get(listed.id)
            except PydError:
                continue  # removed meanwhile
            attributes = _attributes(container)
            times = {
                "create": container.created_ns,
                "start": container.started_ns or start_of(container.pid),
                "die": container.finished_ns,
            }
            for action, at_ns in times.items():
                if at_ns > 0:
                    code = container.exit_code if action == "die" else None
                    events.append(_event_of(container.id, action, at_ns, attributes, code))
        for event in sorted(events, key=lambda event: event.time_nano):
            late = until_ns is not None and event.time_nano >= until_ns
            early = since_ns is not None and event.time_nano < since_ns
            if not late and not early and _matches(event, filters):
                yield event


def _payload(action: str, value: bytes) -> bytes:
    """Return the message of an event as far as pyd reads it: the id is the first field of all of them."""
    if action == "die":
        return value
    if not value.startswith(b"\x0a") or len(value) < 2:
        return b""
    size = value[1]
    return value[: 2 + size] if size < 0x80 else b""


def _attributes(container: NodeContainer) -> dict[str, str]:
    return {**container.labels, "name": container.name, "image": container.image}


def _event_of(identity: str, action: str, at_ns: int, attributes: Mapping[str, str], exit_code: int | None) -> Event:
    code = {} if exit_code is None else {"exitCode": str(exit_code)}
    return Event(
        type="container",
        action=action,
        actor=Actor(id=identity, attributes={**attributes, **code}),
        scope="local",
        time=at_ns // 10**9,
        time_nano=at_ns,
    )


def _matches(event: Event, filters: Filters) -> bool:
    checks = {
        "type": [event.type],
        "event": [event.verb, event.action],
        "container": [event.actor.id, event.name],
    }
    return all(name not in checks or not values or set(checks[name]) & set(values) for name, values in filters.items())


def _nanoseconds(text: str | None) -> int | None:
    if text is None:
        return None
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)
