"""An engine that exists only at the transport seam: containers, events, logs and statistics as a test scripts them.

Everything above the seam is the real thing: requests are built, JSON is decoded, streams are cut. The engine's clock
moves by a millisecond with each event and never on its own, so what is drawn from it is the same in every run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.errors import EngineUnavailable, StreamInterrupted
from pyd_core.model.base import format_time
from support.scripted_resources import THINGS
from support.scripted_wire import (
    CHANGES,
    PROCESSES,
    START_NS,
    ScriptedContainer,
    fits,
    framed,
    inspected,
    log_of,
    nanoseconds,
    summary,
)

__all__ = ["START_NS", "ScriptedContainer", "ScriptedEngine"]

REMEMBERED = 256
"""Events replayed at most, as Docker Engine does."""
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


class ScriptedEngine:
    """A `Transport` with scripted containers behind it.

    `requests` records `METHOD path` of all that was asked. While `down` is true nothing answers; `cut()` ends what is
    streaming. `hold` makes answers wait until it is set again.
    """

    def __init__(self) -> None:
        self.containers: dict[str, ScriptedContainer] = {}
        self.documents: dict[str, Any] = {
            "/version": {"Version": "26.1.5", "ApiVersion": "1.45", "Os": "linux"},
            "*/top": PROCESSES,
            "*/changes": CHANGES,
            **THINGS,
        }
        """What other paths answer; `*/LAST` stands for every path that ends so."""
        self.archives: dict[str, bytes] = {}
        """What containers have at a path, as a tar; anything else isn't there."""
        self.refusals: dict[str, tuple[int, str]] = {}
        """Status and message that a `METHOD path` answers instead."""
        self.headers: dict[str, str] = {}
        """Headers that answers have on top of the usual ones."""
        self.requests: list[str] = []
        self.down = False
        self.cut_next = False
        """Cut the next stream before its end."""
        self._refusals = 0
        self.plain_ps = False
        """Its `ps` knows nothing of columns that are asked for."""
        self.hold = asyncio.Event()
        self.hold.set()
        self.hold_logs: dict[str, asyncio.Event] = {}
        """Events by container id; requests that don't follow a log wait for its event."""
        self.now_ns = START_NS
        self.inspects_at_once = 0
        self.most_inspects_at_once = 0
        self._past: list[dict[str, Any]] = []
        self._listeners: list[tuple[asyncio.Queue[bytes | None], Mapping[str, list[str]]]] = []
        self._readers: list[tuple[ScriptedContainer, asyncio.Queue[bytes | None]]] = []
        self._meters: list[tuple[ScriptedContainer, asyncio.Queue[bytes | None]]] = []

    def engine(self, url: str = "tcp://scripted.invalid:2375") -> EngineClient:
        """A client of this engine."""
        return EngineClient(Endpoint(url=url), self)

    # What happens on the engine.

    def add(self, name: str, *, image: str = "app:1", state: str = "running", emit: bool = False, **more: Any) -> str:
        """Add a container and return its id; listeners get an event only with `emit`."""
        identity = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
        container = ScriptedContainer(identity, name, image, state, created_ns=self.now_ns, **more)
        if container.running:
            container.started_ns = container.started_ns or self.now_ns
            container.pid = container.pid or 2**30 + len(self.containers)
        elif state == "exited":
            container.started_ns = container.started_ns or self.now_ns
            container.finished_ns = container.finished_ns or self.now_ns
        self.containers[identity] = container
        if emit:
            self.emit_of(container, "create")
            if container.running:
                self.emit_of(container, "start")
        return identity

    def get(self, name: str) -> ScriptedContainer:
        """A container by name, id or id prefix."""
        if name in self.containers:
            return self.containers[name]
        for container in self.containers.values():
            if container.name == name or container.id.startswith(name):
                return container
        raise KeyError(name)

    def start(self, name: str) -> None:
        container = self.get(name)
        container.state, container.pid, container.started_ns = "running", 2**30 + 1, self._tick()
        self.emit_of(container, "start")

    def die(self, name: str, code: int = 0) -> None:
        """End a container's main process; readers of its log reach the end."""
        container = self.get(name)
        container.state, container.pid, container.exit_code, container.finished_ns, container.health = (
            "exited",
            0,
            code,
            self._tick(),
            "",
        )
        for reader, queue in self._readers:
            if reader is container:
                queue.put_nowait(None)
        self.emit_of(container, "die", exitCode=str(code))

    def pause(self, name: str) -> None:
        self.get(name).state = "paused"
        self.emit_of(self.get(name), "pause")

    def unpause(self, name: str) -> None:
        self.get(name).state = "running"
        self.emit_of(self.get(name), "unpause")

    def rename(self, name: str, to: str) -> None:
        container = self.get(name)
        old, container.name = container.name, to
        self.emit_of(container, "rename", oldName=f"/{old}")

    def health(self, name: str, status: str) -> None:
        self.get(name).health = status
        self.emit_of(self.get(name), f"health_status: {status}")

    def remove(self, name: str) -> None:
        container = self.get(name)
        if container.running:
            self.die(name, 137)
        del self.containers[container.id]
        self.emit_of(container, "destroy")

    def emit_of(self, container: ScriptedContainer, action: str, **facts: str) -> None:
        """Emit an event of a container."""
        self.emit("container", action, container.id, name=container.name, image=container.image, **facts)

    def emit(self, kind: str, action: str, identity: str, **attributes: str) -> None:
        """Emit any event."""
        time_ns = self._tick()
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": identity, "Attributes": attributes},
            "scope": "local",
            "time": time_ns // 10**9,
            "timeNano": time_ns,
        }
        self._past = [*self._past[1 - REMEMBERED :], event]
        for queue, filters in self._listeners:
            if fits(event, filters):
                queue.put_nowait(json.dumps(event).encode() + b"\n")

    def print(
        self, name: str, line: str | bytes, *, stderr: bool = False, time_ns: int | None = None, end: bytes = b"\n"
    ) -> None:
        """A container writes a line, a millisecond later than what happened before or at a given time."""
        container = self.get(name)
        data = line.encode() if isinstance(line, str) else line
        entry = (2 if stderr else 1, self._tick() if time_ns is None else time_ns, data + end)
        container.log.append(entry)
        for reader, queue in self._readers:
            if reader is container:
                queue.put_nowait(framed(container, entry))

    def sample(self, name: str, *, cpu_ns: int = 0, memory: int = 0) -> None:
        """A second passes for its statistics streams: it used so much processor time, and has so much memory."""
        container = self.get(name)
        container.cpu_ns += cpu_ns
        container.memory = memory
        self.now_ns += 10**9
        for reader, queue in self._meters:
            if reader is container:
                queue.put_nowait(self._stats(container))

    def cut(self, *, down: bool = False) -> None:
        """Cut all streams; with `down` nothing answers from then on."""
        self.down = self.down or down
        for queue, _ in self._listeners:
            queue.put_nowait(_CUT)
        for _, queue in [*self._readers, *self._meters]:
            queue.put_nowait(_CUT)

    def refuse(self, times: int) -> None:
        """Down for so many requests more, then up again."""
        self._refusals = times

    def forget_events(self) -> None:
        """The engine restarts: it remembers no events."""
        self._past = []

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return len(self._listeners) + len(self._readers) + len(self._meters)

    # The transport.

    async def request(self, request: ApiRequest) -> Response:
        path, query = self._parse_request(request)
        await self.hold.wait()
        if refusal := self.refusals.get(f"{request.method} {path}"):
            status, body = refusal[0], json.dumps({"message": refusal[1]}).encode()
        elif self.plain_ps and "ps_args" in query:
            status, body = 500, b'{"message": "ps: unrecognized option"}'
        else:
            status, body = await self._answer(request.method, path, query)
        return Response(status=status, headers={"api-version": "1.45", "date": DATE, **self.headers}, body=body)

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[Stream]:
        path, query = self._parse_request(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        parts = path.split("/")
        headers = {"content-type": "application/json"}
        entry: Any = None
        among: list[Any] = []
        if path == "/events":
            filters = json.loads(query.get("filters", "{}"))
            among, entry = self._listeners, (queue, filters)
            self._replay(queue, filters, nanoseconds(query.get("since")))
        elif parts[-1] in {"logs", "stats", "archive"}:
            container = self._find(parts[2])
            if container is not None and parts[-1] == "archive" and (tar := self.archives.get(query.get("path", ""))):
                yield _ScriptedStream(200, {"content-type": "application/x-tar"}, _closed(tar))
                return
            if container is None or parts[-1] == "archive":
                missing = "container" if container is None else "file"
                yield _ScriptedStream(404, headers, _closed(json.dumps({"message": f"No such {missing}"}).encode()))
                return
            if parts[-1] == "stats":
                among, entry = self._meters, (container, queue)
                queue.put_nowait(self._stats(container))
            else:
                among, entry = self._readers, (container, queue)
                kind = "raw" if container.tty else "multiplexed"
                headers = {"content-type": f"application/vnd.docker.{kind}-stream"}
                await self._held(container, query)
                for data in log_of(container, query):
                    queue.put_nowait(data)
                if query.get("follow") != "1" or not container.running:
                    queue.put_nowait(None)
        else:
            raise AssertionError(f"not scripted: {request.target}")
        if "until" in query:
            queue.put_nowait(None)
        if self.cut_next:
            self.cut_next = False
            queue = asyncio.Queue()
            queue.put_nowait(_CUT)
        among.append(entry)
        try:
            yield _ScriptedStream(200, headers, queue)
        finally:
            among.remove(entry)

    async def _held(self, container: ScriptedContainer, query: Mapping[str, str]) -> None:
        if query.get("follow") != "1" and (held := self.hold_logs.get(container.id)) is not None:
            await held.wait()

    def _replay(self, queue: asyncio.Queue[bytes | None], filters: Mapping[str, list[str]], since: int | None) -> None:
        for event in self._past:
            if since is not None and event["timeNano"] >= since and fits(event, filters):
                queue.put_nowait(json.dumps(event).encode() + b"\n")

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        raise AssertionError(f"not scripted: {request.target}")

    async def aclose(self) -> None:
        self.cut()

    def _parse_request(self, request: ApiRequest) -> tuple[str, dict[str, str]]:
        parts = urlsplit(request.target)
        path = parts.path.removeprefix("/v1.45")
        self.requests.append(f"{request.method} {path}")
        if self._refusals:
            self._refusals -= 1
            self.down = self._refusals > 0
        if self.down:
            raise EngineUnavailable("no engine answers at the scripted socket", hint="start it")
        return unquote(path), {name: values[0] for name, values in parse_qs(parts.query).items()}

    async def _answer(self, method: str, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        match method, path.strip("/").split("/"):
            case "GET", ["_ping"]:
                return 200, b"OK"
            case "GET", ["containers", "json"]:
                shown = [
                    container for container in self.containers.values() if query.get("all") == "1" or container.running
                ]
                return 200, json.dumps([summary(container) for container in shown]).encode()
            case "GET", ["containers", name, "json"]:
                return await self._inspect(name)
            case "GET", [*_, last] if (known := self.documents.get(path, self.documents.get(f"*/{last}"))) is not None:
                service = json.loads(query.get("filters", "{}")).get("service")
                if path == "/tasks" and service is not None:
                    known = [task for task in known if task["ServiceID"] in service]
                if path == "/system/df":
                    known = {"Containers": [*map(summary, self.containers.values())]} | dict(known)
                return 200, json.dumps(known).encode()
            case "DELETE", ["images" | "networks" | "volumes", _]:
                return 200, b"[]"
            case "POST" | "DELETE", ["containers", name, *verb]:
                return self._act(name, verb[0] if verb else "remove", query)
        raise AssertionError(f"not scripted: {method} {path}")

    def _act(self, name: str, verb: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        container = self._find(name)
        if container is None:
            return 404, json.dumps({"message": f"No such container: {name}"}).encode()
        match verb:
            case "start" | "pause" | "unpause" | "remove":
                getattr(self, verb)(container.id)
            case "stop" | "kill" if container.running:
                self.die(container.id, 143 if verb == "stop" else 137)
            case "restart":
                self.die(container.id, 143)
                self.start(container.id)
            case "rename":
                self.rename(container.id, query["name"])
            case "update":
                return 200, b'{"Warnings": null}'
        return 204, b""

    async def _inspect(self, name: str) -> tuple[int, bytes]:
        container = self._find(name)
        if container is None:
            return 404, json.dumps({"message": f"No such container: {name}"}).encode()
        body = json.dumps(inspected(container)).encode()
        self.inspects_at_once += 1
        self.most_inspects_at_once = max(self.most_inspects_at_once, self.inspects_at_once)
        await asyncio.sleep(0)
        self.inspects_at_once -= 1
        return 200, body

    def _find(self, name: str) -> ScriptedContainer | None:
        try:
            return self.get(name)
        except KeyError:
            return None

    def _tick(self) -> int:
        self.now_ns += 1_000_000
        return self.now_ns

    def _stats(self, container: ScriptedContainer) -> bytes:
        document = {
            "read": format_time(self.now_ns),
            "cpu_stats": {"cpu_usage": {"total_usage": container.cpu_ns + 1}},
            "memory_stats": {"usage": container.memory, "limit": container.memory_limit or 2**34, "stats": {}},
            "pids_stats": {"current": 1},
        }
        return json.dumps(document).encode() + b"\n"


_CUT = b"\0cut"


class _ScriptedStream:
    def __init__(self, status: int, headers: Mapping[str, str], queue: asyncio.Queue[bytes | None]) -> None:
        self.status = status
        self.headers = {"date": DATE, **headers}
        self._queue = queue

    async def chunks(self) -> AsyncIterator[bytes]:
        while (chunk := await self._queue.get()) is not None:
            if chunk == _CUT:
                raise StreamInterrupted("the scripted engine stopped answering")
            yield chunk


def _closed(body: bytes) -> asyncio.Queue[bytes | None]:
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    queue.put_nowait(body)
    queue.put_nowait(None)
    return queue
