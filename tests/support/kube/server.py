"""A scripted Kubernetes API server: real HTTP, lists in pages, tables, watches, logs and exec, with faults on request.

Objects come from tests or from the records of a real cluster. Commands of `exec` run on this machine, in processes of
their own, so that streams and exit codes are real.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pyd_core.tasks import TaskOwner
from support.kube.exec import serve_exec, serve_port
from support.kube.objects import KINDS, Object, Objects, selector
from support.kube.patch import json_patch, merge_patch, strategic_patch
from support.kube.records import state
from support.kube.tables import table_of
from support.kube.wire import Answer, Chunked, Request, ServerSocket, read_request, status

RESOURCE = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.2", "platform": "linux/amd64"}


@dataclass
class Fault:
    """An answer in place of the usual one, a number of times."""

    pattern: re.Pattern[str]
    answer: Answer
    times: int = 1


class ScriptedCluster:
    """An API server on a local port.

    Attributes:
        objects: What it stores; change it with `put` and `remove` of this class, which wake watches.
        logs: Logs by namespace, pod and container; a tuple with `previous` as its last item has the previous run's.
        requests: `METHOD path?query` of all requests.
        token: The bearer token that it accepts; empty accepts everything.
        protocols: The WebSocket subprotocols that it speaks.
        cut_watch_bytes: Ends the next watch within its stream, after this number of bytes.
        metrics: Answers of `metrics.k8s.io`; None where the cluster has none.
        admit: Called with each object that is created or patched; returns an answer that refuses it, or None.
    """

    def __init__(self) -> None:
        self.objects = Objects()
        self.logs: dict[tuple[str, ...], bytes] = {}
        self.requests: list[str] = []
        self.token = ""
        self.protocols: tuple[str, ...] = ("v5.channel.k8s.io", "v4.channel.k8s.io")
        self.cut_watch_bytes: int | None = None
        self.max_page = 500
        self.metrics: list[Object] | None = None
        self.admit: Callable[[Request, Object], Answer | None] | None = None
        self.on_ephemeral: Callable[[Object], Awaitable[None]] | None = None
        self.on_created: Callable[[Object], Awaitable[None]] | None = None
        self.environment: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._tasks = TaskOwner(lambda _: None)
        self._writers: set[asyncio.StreamWriter] = set()
        self._log_grew = asyncio.Condition()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_connections()
        await self._tasks.aclose()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def kubeconfig(self, path: Path, *, namespace: str = "", **user: Any) -> Path:
        """Write a kubeconfig with the contexts `scripted` and `other`, and return its path."""
        context = {"cluster": "c", "user": "u", **({"namespace": namespace} if namespace else {})}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "scripted",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": user or ({"token": self.token} if self.token else {})}],
            "contexts": [{"name": "scripted", "context": context}, {"name": "other", "context": context}],
        }
        path.write_text(json.dumps(document))
        return path

    # Script

    async def put(self, resource: str, document: Object) -> Object:
        """Store an object and wake watches."""
        stored = self.objects.put(resource, document)
        await self.objects.announce()
        return stored

    async def remove(self, resource: str, namespace: str, name: str) -> None:
        """Remove an object and wake watches."""
        self.objects.remove(resource, namespace, name)
        await self.objects.announce()

    def load_state(self, name: str, as_name: str = "") -> Object:
        """Store a recorded pod with its events and logs."""
        return self.load_record(state(name), as_name)

    def load_record(self, record: Object, as_name: str = "") -> Object:
        """Store a pod with its events, logs and node."""
        pod: Object = record["pod"]
        if "node" in record:
            self.objects.put("nodes", record["node"])
        if as_name:
            pod["metadata"] |= {"name": as_name, "uid": f"uid-{as_name}"}
        metadata = pod["metadata"]
        self.objects.put("pods", pod)
        for index, event in enumerate(record["events"]):
            event["metadata"] = {"name": f"{metadata['name']}.{index}", "namespace": metadata["namespace"]}
            event["involvedObject"] |= {"name": metadata["name"], "uid": metadata["uid"]}
            self.objects.put("events", event)
        for container, texts in record["logs"].items():
            key = (metadata["namespace"], metadata["name"], container)
            for run, suffix in (("current", ()), ("previous", ("previous",))):
                answer = texts.get(run)
                if answer and str(answer.get("status", "")).find("200") >= 0:
                    self.logs[(*key, *suffix)] = str(answer.get("body") or "").encode()
        return pod

    async def announce(self) -> None:
        """Wake watches after changes that were made without a call of this class."""
        await self.objects.announce()

    def fail(self, pattern: str, answer: Answer, *, times: int = 1) -> None:
        """Answer requests whose `METHOD path?query` matches with something else."""
        self._faults.append(Fault(re.compile(pattern), answer, times))

    async def compact(self) -> None:
        """Forget the history: watches from before now are answered with 410."""
        self.objects.version += 1
        self.objects.oldest = self.objects.version
        self.objects.history.clear()
        await self.objects.announce()

    def drop_connections(self) -> None:
        """Cut all connections."""
        for writer in [*self._writers]:
            writer.transport.abort()

    async def write_log(self, namespace: str, pod: str, container: str, data: bytes) -> None:
        """Add to a container's log."""
        async with self._log_grew:
            key = (namespace, pod, container)
            self.logs[key] = self.logs.get(key, b"") + data
            self._log_grew.notify_all()

    async def append_log(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Add text to a container's log; `write_log` for callers in another process."""
        await self.write_log(namespace, pod, container, text.encode())

    # Serving

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (request := await read_request(reader)) is not None:
                query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
                line = f"{request.method} {request.path}" + (f"?{query}" if query else "")
                self.requests.append(line)
                if not await self._answer(request, line, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(
        self, request: Request, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer a request, and return whether the connection can be used again."""
        answer = self._fault(line)
        if answer is None and self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            answer = status(401, "Unauthorized", "Unauthorized")
        if answer is None:
            answer = self._fixed(request)
        match = RESOURCE.fullmatch(request.path)
        if answer is None and (match is None or match["resource"] not in KINDS):
            answer = status(404, "NotFound", "the server could not find the requested resource")
        if answer is None:
            assert match is not None
            namespace, resource, name, sub = match["namespace"] or "", match["resource"], match["name"], match["sub"]
            if sub == "portforward":
                return await self._forward(request, namespace, name, ServerSocket(reader, writer), writer)
            if sub in {"exec", "attach"} and request.headers.get("upgrade", "").lower() == "websocket":
                return await self._stream_process(request, namespace, name, sub, ServerSocket(reader, writer), writer)
            if sub == "log":
                answer = await self._log(request, namespace, name, writer)
            elif request.flag("watch"):
                await self._watch(request, resource, namespace, writer)
                return False
            else:
                answer = await self._object(request, resource, namespace, name or "", sub or "")
        if answer is not None:
            writer.write(answer.encode())
            await writer.drain()
        return answer is not None

    def _fault(self, line: str) -> Answer | None:
        for fault in self._faults:
            if fault.times and fault.pattern.search(line):
                fault.times -= 1
                return fault.answer
        return None

    def _fixed(self, request: Request) -> Answer | None:
        if request.path == "/version":
            return Answer(200, VERSION)
        if request.path.startswith("/apis/metrics.k8s.io/"):
            return (
                Answer(404, b"404 page not found\n") if self.metrics is None else Answer(200, {"items": self.metrics})
            )
        if request.path.endswith("/selfsubjectaccessreviews"):
            return Answer(201, json.loads(request.body) | {"status": {"allowed": True}})
        if request.path in {"/api/v1", *(f"/apis/{group}" for group, _, _ in KINDS.values())}:
            version = request.path.removeprefix("/api/").removeprefix("/apis/")
            resources = [
                {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["list"]}
                for name, (group, kind, namespaced) in KINDS.items()
                if group == version
            ]
            return Answer(200, {"kind": "APIResourceList", "groupVersion": version, "resources": resources})
        if request.path == "/apis":
            groups = sorted({group for group, _, _ in KINDS.values() if "/" in group})
            listed = [
                {"name": group.partition("/")[0], "preferredVersion": {"groupVersion": group}} for group in groups
            ]
            return Answer(200, {"kind": "APIGroupList", "groups": listed})
        return None

    async def _object(  # noqa: PLR0911 - an answer for each verb
        self, request: Request, resource: str, namespace: str, name: str, sub: str
    ) -> Answer:
        if request.method == "GET" and not name:
            return self._list(request, resource, namespace)
        if request.method == "POST" and not name:
            return await self._create(request, resource, namespace)
        stored = self.objects.get(resource, namespace, name)
        if stored is None:
            details = {"name": name, "kind": resource}
            return status(404, "NotFound", f'{resource} "{name}" not found', details=details)
        if request.method == "GET":
            if "as=Table" in request.headers.get("accept", ""):
                return Answer(200, table_of(resource, [stored], str(self.objects.version)))
            return Answer(200, {"kind": KINDS[resource][1], "apiVersion": KINDS[resource][0], **stored})
        if request.method == "DELETE":
            options = json.loads(request.body) if request.body else {}
            expected = options.get("preconditions", {}).get("uid", stored["metadata"]["uid"])
            if expected != stored["metadata"]["uid"]:
                return status(409, "Conflict", "the UID in the precondition does not match")
            await self.remove(resource, namespace, name)
            return Answer(200, stored)
        if request.method in {"PATCH", "PUT"}:
            return await self._change(request, resource, stored, sub)
        return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    async def _create(self, request: Request, resource: str, namespace: str) -> Answer:
        document: Object = json.loads(request.body)
        if namespace:
            document["metadata"]["namespace"] = namespace
        if self.admit is not None and (refusal := self.admit(request, document)) is not None:
            return refusal
        if not request.text("dryRun"):
            await self.put(resource, document)
            if resource == "pods" and self.on_created is not None:
                answer = Answer(201, copy.deepcopy(document))
                await self.on_created(document)
                return answer
        return Answer(201, document)

    async def _change(self, request: Request, resource: str, stored: Object, sub: str) -> Answer:
        body: Object = json.loads(request.body)
        document = copy.deepcopy(stored)
        if request.method == "PUT":
            document = body
        elif isinstance(body, list):
            if not json_patch(document, body):
                return status(422, "Invalid", "the server rejected our request due to an error in our request")
        elif "strategic" in request.headers.get("content-type", ""):
            strategic_patch(document, body)
        else:
            merge_patch(document, body)
        if sub == "scale":
            document = copy.deepcopy(stored)
            document["spec"]["replicas"] = body["spec"]["replicas"]
        if self.admit is not None and (refusal := self.admit(request, document)) is not None:
            return refusal
        if not request.text("dryRun"):
            await self.put(resource, document)
            if sub == "ephemeralcontainers" and self.on_ephemeral is not None:
                answer = Answer(200, copy.deepcopy(document))
                await self.on_ephemeral(document)
                return answer
        return Answer(200, {"kind": KINDS[resource][1], "apiVersion": KINDS[resource][0], **document})

    def _list(self, request: Request, resource: str, namespace: str) -> Answer:
        group, kind, _ = KINDS[resource]
        keep = selector(request.text("labelSelector"), request.text("fieldSelector"))
        items = self.objects.select(resource, namespace, keep)
        limit = min(int(request.text("limit", "0") or 0) or len(items), self.max_page)
        start = int(request.text("continue", "0") or 0)
        page = items[start : start + limit]
        metadata: Object = {"resourceVersion": str(self.objects.version)}
        if start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(items) - start - limit}
        if "as=Table" in request.headers.get("accept", ""):
            table = table_of(resource, page, str(self.objects.version))
            table["metadata"] = metadata
            return Answer(200, table)
        return Answer(200, {"kind": f"{kind}List", "apiVersion": group, "metadata": metadata, "items": page})

    async def _watch(self, request: Request, resource: str, namespace: str, writer: asyncio.StreamWriter) -> None:
        version = int(request.text("resourceVersion", "0") or 0)
        keep = selector(request.text("labelSelector"), request.text("fieldSelector"))
        stream = Chunked(writer)
        budget, self.cut_watch_bytes = self.cut_watch_bytes, None
        while True:
            if version < self.objects.oldest:
                text = f"too old resource version: {version} ({self.objects.oldest})"
                gone = {"kind": "Status", "status": "Failure", "message": text, "reason": "Expired", "code": 410}
                await stream.send(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
                await stream.end()
                return
            changes = [*self.objects.since(resource, namespace, version)]
            group, kind, _ = KINDS[resource]
            for change in changes:
                version = change.version
                if not keep(change.object):
                    continue
                document = {"kind": kind, "apiVersion": group, **change.object}
                data = json.dumps({"type": change.type, "object": document}).encode() + b"\n"
                if budget is not None and len(data) >= budget:
                    await stream.send(data[:budget])
                    writer.transport.abort()
                    return
                budget = None if budget is None else budget - len(data)
                await stream.send(data)
            async with self.objects.changed:
                if version >= self.objects.oldest and not [*self.objects.since(resource, namespace, version)]:
                    await self.objects.changed.wait()

    async def _log(self, request: Request, namespace: str, pod: str, writer: asyncio.StreamWriter) -> Answer | None:
        stored = self.objects.get("pods", namespace, pod)
        if stored is None:
            return status(404, "NotFound", f'pods "{pod}" not found')
        container = request.text("container") or stored["spec"]["containers"][0]["name"]
        previous = ("previous",) if request.flag("previous") else ()
        key = (namespace, pod, container, *previous)
        if key not in self.logs:
            if previous:
                text = f'previous terminated container "{container}" in pod "{pod}" not found'
                return status(400, "BadRequest", text)
            self.logs[key] = b""
        lines = self.logs[key].splitlines(keepends=True)
        if since := request.text("sinceTime"):
            lines = [line for line in lines if line[:19].decode() >= since[:19]]
        if request.text("tailLines"):
            lines = lines[-int(request.text("tailLines")) :] if int(request.text("tailLines")) else []
        if not request.flag("timestamps"):
            lines = [line.partition(b" ")[2] for line in lines]
        if not request.flag("follow"):
            return Answer(200, b"".join(lines))
        stream = Chunked(writer, kind="text/plain")
        await stream.send(b"".join(lines))
        sent = len(self.logs[key])
        with suppress(ConnectionError):
            while True:
                async with self._log_grew:
                    while len(self.logs[key]) == sent:
                        await self._log_grew.wait()
                    fresh, sent = self.logs[key][sent:], len(self.logs[key])
                await stream.send(fresh)
        return None

    async def _stream_process(  # noqa: PLR0917 - of one call
        self,
        request: Request,
        namespace: str,
        pod: str,
        sub: str,
        socket: ServerSocket,
        writer: asyncio.StreamWriter,
    ) -> bool:
        stored = self.objects.get("pods", namespace, pod)
        if stored is None:
            writer.write(status(404, "NotFound", f'pods "{pod}" not found').encode())
            return True
        offered = [text.strip() for text in request.headers.get("sec-websocket-protocol", "").split(",")]
        chosen = next((protocol for protocol in self.protocols if protocol in offered), "")
        if not chosen:
            writer.write(Answer(403, b"").encode())
            await writer.drain()
            return True
        await socket.accept(request, chosen)
        command = request.query.get("command", []) if sub == "exec" else self.attach_command(stored, request)
        await serve_exec(socket, command, tty=request.flag("tty"), environment=self.environment)
        return False

    async def _forward(
        self, request: Request, namespace: str, pod: str, socket: ServerSocket, writer: asyncio.StreamWriter
    ) -> bool:
        if request.headers.get("sec-websocket-protocol") != "v4.channel.k8s.io":
            writer.write(Answer(403, b"").encode())
            return True
        if self.objects.get("pods", namespace, pod) is None:
            writer.write(status(404, "NotFound", f'pods "{pod}" not found').encode())
            return True
        await socket.accept(request, "v4.channel.k8s.io")
        await serve_port(socket, int(request.text("ports")))
        return False

    def attach_command(self, pod: Object, request: Request) -> list[str]:
        """Return the program to which an attach leads: the container's own command."""
        spec = pod["spec"]
        for container in [*spec["containers"], *spec.get("ephemeralContainers", [])]:
            if container["name"] == request.text("container"):
                return [*container.get("command", []), *container.get("args", [])] or ["cat"]
        return ["cat"]
