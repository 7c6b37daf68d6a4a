"""Parts of a report on a pod besides its container: events, node and the log of the run before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pyd_core.client.provider import Provider
from pyd_core.debug.inspectors.variables import mask
from pyd_core.errors import NotFound
from pyd_tui.shell.builtins.asking import ask
from pyd_tui.shell.interactive_shell import ShellContext

MAX_EVENTS = 1000
CONTAINER_FIELDS = ("containers", "initContainers", "ephemeralContainers")


def pod_sources(shell: ShellContext) -> dict[str, Callable[[], bytes]]:
    """Return the functions that read a pod's parts of a report, by their file names."""
    return {
        "events.json": lambda: ask(shell, _events),
        "node.json": lambda: ask(shell, _node),
        "previous.txt": lambda: ask(shell, _previous),
    }


def mask_pod(document: dict[str, Any]) -> None:
    """Mask the values of variables whose names are a secret's, in all containers of a pod."""
    spec = document.get("spec") or {}
    for field in CONTAINER_FIELDS:
        for container in spec.get(field) or []:
            for entry in container.get("env") or []:
                if "value" in entry:
                    entry["value"] = mask(str(entry.get("name", "")), str(entry["value"]))


async def _events(engine: Provider, name: str) -> bytes:
    from pyd_core.kube.cluster_api import object_path  # noqa: PLC0415 - only clusters need it

    api, pod = await _pod(engine, name)
    path = object_path("events", namespace=pod.namespace)
    query = {"fieldSelector": f"involvedObject.name={pod.name}", "limit": MAX_EVENTS}
    return _json(msgspec.json.decode((await api.send("GET", path, query)).body).get("items", []))


async def _node(engine: Provider, name: str) -> bytes:
    from pyd_core.kube.cluster_api import object_path  # noqa: PLC0415 - only clusters need it
    from pyd_core.kube.documents import fetch_document  # noqa: PLC0415 - only clusters need it

    api, pod = await _pod(engine, name)
    if not pod.node:
        raise NotFound("the pod is on no node")
    return _json(await fetch_document(api, object_path("nodes", name=pod.node)))


async def _previous(engine: Provider, name: str) -> bytes:
    from pyd_core.logs.follow import follow  # noqa: PLC0415 - only clusters need it

    lines: list[bytes] = []
    async for item in follow(engine, name, tail=MAX_PREVIOUS_LINES, previous=True):
        data = getattr(item, "data", b"")
        lines.append(data + b"\n")
    return b"".join(lines)


MAX_PREVIOUS_LINES = 20_000


class _Where(msgspec.Struct, frozen=True):
    namespace: str
    name: str
    node: str


async def _pod(engine: Provider, name: str) -> tuple[Any, _Where]:
    from pyd_core.kube.cluster_client import ClusterClient  # noqa: PLC0415 - only clusters need it

    if not isinstance(engine, ClusterClient):
        raise NotFound("only a cluster has pods")
    pod = (await engine.feed.store.member(name)).pod
    return engine.cluster, _Where(pod.metadata.namespace, pod.metadata.name, pod.spec.node_name)


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
