"""A scripted Kubernetes API server: real HTTP, lists, tables, watches, logs, streams, and faults on request.

Objects come from tests or from the records of a real cluster. By default, commands of `exec` run on this machine, in
processes of their own, so that streams and exit codes are real.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from pyd_core.tasks import TaskOwner
from support.kube.crowd import crowd
from support.kube.discovery import discover
from support.kube.faults import Faults
from support.kube.logs import StoredLogs, container_of
from support.kube.objects import Object, Objects
from support.kube.openapi import openapi
from support.kube.records import state
from support.kube.resources import Target, target_of
from support.kube.runtime import LocalRuntime, Runtime
from support.kube.streams import Streams
from support.kube.verbs import Verbs, missing
from support.kube.watches import Watch
from support.kube.wire import Answer, Request, read_request, status


class ScriptedCluster:
    """An API server on a local port.

    Attributes:
        objects: What it stores; change it with `put` and `remove` of this class, which wake watches.
        stored_logs: Logs of the default runtime.
        requests: `METHOD path?query` of all requests.
        token: The bearer token that it accepts; empty accepts everything.
        protocols: The WebSocket subprotocols that it speaks.
        metrics: Answers of `metrics.k8s.io`; None where the cluster has none.
        faults: The faults that it plays.
        runtime: Runs the containers.
        admit: Called with each object that is created or patched; returns an answer that refuses it, or None.
        on_created: Called with each pod that a client has created.
        on_ephemeral: Called with each pod that got an ephemeral container.
        on_deleted: Called with each pod that a client has deleted; where it is set, pods wait for it to remove them.
    """

    def __init__(self) -> None:
        self.objects = Objects()
        self.stored_logs = StoredLogs()
        self.requests: list[str] = []
        self.token = ""
        self.protocols: tuple[str, ...] = ("v5.channel.k8s.io", "v4.channel.k8s.io")
        self.max_page = 500
        self.metrics: list[Object] | None = None
        self.faults = Faults()
        self.runtime: Runtime = LocalRuntime(self.stored_logs)
        self.admit: Callable[[Request, Object], Answer | None] | None = None
        self.on_ephemeral: Callable[[Object], Awaitable[None]] | None = None
        self.on_created: Callable[[Object], Awaitable[None]] | None = None
        self.on_deleted: Callable[[Object], Awaitable[None]] | None = None
        self.environment: dict[str, str] = {}
        self._verbs = Verbs(self)
        self._streams = Streams(self)
        self._server: asyncio.Server | None = None
        self._tasks = TaskOwner(lambda _: None)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
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

    @property
    def logs(self) -> dict[tuple[str, ...], bytes]:
        """Stored logs by namespace, pod and container, and `previous`."""
        return self.stored_logs.texts

    @property
    def cut_watch_bytes(self) -> int | None:
        """The number of bytes after which the next watch is cut."""
        return self.faults.cut_watch_bytes

    @cut_watch_bytes.setter
    def cut_watch_bytes(self, count: int | None) -> None:
        self.faults.cut_watch_bytes = count

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

    def load_crowd(self, count: int, namespace: str = "", healthy: bool = False) -> int:
        """Store many pods out of the recorded ones, and return the number of their containers."""
        pods = [*crowd(count, namespace=namespace, healthy=healthy)]
        self.objects.fill("pods", pods)
        return sum(len(pod["spec"]["containers"]) + len(pod["spec"].get("initContainers", [])) for pod in pods)

    async def announce(self) -> None:
        """Wake watches after changes that were made without a call of this class."""
        await self.objects.announce()

    def fail(self, pattern: str, answer: Answer, *, times: int = 1) -> None:
        """Answer requests whose `METHOD path?query` matches with something else."""
        self.faults.fail(pattern, answer, times=times)

    def deny(self, verb: str, resource: str, namespace: str = ".*") -> None:
        """Refuse a verb on a resource; each is a regular expression."""
        self.faults.deny(verb, resource, namespace)

    def refuse(self, pattern: str, code: int, reason: str, message: str, *retry_after: str) -> None:
        """Answer the next request whose `METHOD path?query` matches with an error."""
        answer = status(code, reason, message)
        answer.headers |= {"Retry-After": retry_after[0]} if retry_after else {}
        self.fail(pattern, answer)

    def play(self, fault: str, value: Any) -> None:
        """Set an attribute of the faults."""
        assert hasattr(self.faults, fault), fault
        setattr(self.faults, fault, set(value) if isinstance(value, list) else value)

    def measure(self, items: list[Object]) -> None:
        """Serve `metrics.k8s.io` with these items."""
        self.metrics = items

    def allowed(self, verb: str, resource: str, namespace: str, name: str) -> bool:
        """Return whether RBAC allows a verb on a resource."""
        return self.faults.allowed(verb, resource, namespace, name)

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
        await self.stored_logs.add((namespace, pod, container), data)

    async def append_log(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Add text to a container's log; `write_log` for callers in another process."""
        await self.write_log(namespace, pod, container, text.encode())

    # Serving

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.start(self._serve(reader, writer))

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
        answer = await self.faults.answer(request, line)
        if answer is None and self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            answer = status(401, "Unauthorized", "Unauthorized")
        if answer is None:
            answer = self._fixed(request)
        target = target_of(request.path)
        if answer is None and target is None:
            answer = Answer(404, b"404 page not found\n")
        if answer is None and target is not None:
            answer = self.faults.refusal(request, target)
        if answer is None and target is not None:
            answer = await self._serve_target(request, target, reader, writer)
        if answer is not None:
            writer.write(answer.encode())
            await writer.drain()
        return answer is not None

    async def _serve_target(
        self, request: Request, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer | None:
        if target.sub in {"exec", "attach", "portforward"}:
            return await self._streams.serve(request, target, reader, writer)
        if target.sub == "log":
            return await self._log(request, target, writer)
        if request.flag("watch"):
            await Watch(self, request, target, writer).serve()
            return None
        return await self._verbs.answer(request, target)

    def _fixed(self, request: Request) -> Answer | None:
        if request.path == "/version":
            minor = self.faults.minor
            version = {"major": "1", "minor": str(minor), "gitVersion": f"v1.{minor}.2", "platform": "linux/amd64"}
            return Answer(200, version)
        if request.path in {"/livez", "/readyz", "/healthz"}:
            return Answer(200, b"ok")
        if request.path.startswith("/openapi/"):
            return openapi(request)
        if request.path.startswith("/apis/metrics.k8s.io/v1beta1/"):
            return self._measured(request)
        return discover(request, minor=self.faults.minor, metrics=self.metrics is not None)

    def _measured(self, request: Request) -> Answer:
        if self.metrics is None:
            return Answer(404, b"404 page not found\n")
        kind = "NodeMetrics" if request.path.rstrip("/").endswith("/nodes") else "PodMetrics"
        items = [item for item in self.metrics if ("containers" in item) == (kind == "PodMetrics")]
        return Answer(
            200, {"kind": f"{kind}List", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}
        )

    async def _log(self, request: Request, target: Target, writer: asyncio.StreamWriter) -> Answer | None:
        stored = self.objects.get("pods", target.namespace, target.name)
        if stored is None:
            return missing(target.resource, target.name)
        container = container_of(request, stored)
        if isinstance(container, Answer):
            return container
        return await self.runtime.logs(request, stored, container, writer)
