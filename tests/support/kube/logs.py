"""Logs of a scripted cluster's containers, as lines with timestamps."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from support.kube.ages import timestamp
from support.kube.objects import Object
from support.kube.wire import Answer, Chunked, Request, status


class StoredLogs:
    """Logs that a test or a record has given.

    Attributes:
        texts: Logs by namespace, pod and container; a tuple with `previous` as its last item has the previous run's.
    """

    def __init__(self) -> None:
        self.texts: dict[tuple[str, ...], bytes] = {}
        self._grew = asyncio.Condition()

    async def add(self, key: tuple[str, ...], data: bytes) -> None:
        """Add to a log, and wake those who follow it."""
        async with self._grew:
            self.texts[key] = self.texts.get(key, b"") + data
            self._grew.notify_all()

    async def serve(self, request: Request, pod: Object, container: str, writer: asyncio.StreamWriter) -> Answer | None:
        """Answer with a log; None where it was streamed."""
        metadata = pod["metadata"]
        previous = ("previous",) if request.flag("previous") else ()
        key = (metadata["namespace"], metadata["name"], container, *previous)
        if key not in self.texts:
            if previous:
                return no_previous(container, metadata["name"])
            self.texts[key] = b""
        lines = chosen_lines(request, self.texts[key])
        if not request.flag("follow"):
            return Answer(200, b"".join(lines))
        stream = Chunked(writer, kind="text/plain")
        await stream.send(b"".join(lines))
        sent = len(self.texts[key])
        with suppress(ConnectionError):
            while True:
                async with self._grew:
                    while len(self.texts[key]) == sent:
                        await self._grew.wait()
                    fresh, sent = self.texts[key][sent:], len(self.texts[key])
                await stream.send(b"".join(stamped(request, fresh.splitlines(keepends=True))))
        return None


def no_previous(container: str, pod: str) -> Answer:
    """Return the answer for a previous run that there was not."""
    text = f'previous terminated container "{container}" in pod "{pod}" not found'
    return status(400, "BadRequest", text)


def chosen_lines(request: Request, log: bytes) -> list[bytes]:
    """Return the lines that a request wants, with their timestamps if it wants these."""
    lines = log.splitlines(keepends=True)
    since = request.text("sinceTime")
    if request.text("sinceSeconds"):
        since = timestamp(datetime.now(UTC) - timedelta(seconds=int(request.text("sinceSeconds"))))
    if since:
        lines = [line for line in lines if line[:19].decode() >= since[:19]]
    if request.text("tailLines"):
        count = int(request.text("tailLines"))
        lines = lines[-count:] if count else []
    lines = stamped(request, lines)
    if request.text("limitBytes"):
        return [b"".join(lines)[: int(request.text("limitBytes"))]]
    return lines


def stamped(request: Request, lines: list[bytes]) -> list[bytes]:
    """Return lines with or without their timestamps."""
    return lines if request.flag("timestamps") else [line.partition(b" ")[2] for line in lines]


def container_of(request: Request, pod: Object) -> str | Answer:
    """Return the container that a request means, or the refusal of one that the pod doesn't have."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    listed = [
        entry["name"]
        for field in ("containers", "initContainers", "ephemeralContainers")
        for entry in spec.get(field) or []
    ]
    name_asked = request.text("container")
    if name_asked and name_asked not in listed:
        return status(400, "BadRequest", f"container {name_asked} is not valid for pod {name}")
    if name_asked:
        return name_asked
    main = [entry["name"] for entry in spec["containers"]]
    default = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    if len(main) > 1 and default not in main:
        text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(main)}]"
        return status(400, "BadRequest", text)
    return default if default in main else str(main[0])
