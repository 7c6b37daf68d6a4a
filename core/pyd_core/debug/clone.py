"""A container like another, doing nothing: for one that crashes at once, and for the networks of one that doesn't run.

The clone has its model's image, configuration, rights, limits, mounts and networks, but no published ports, no aliases,
no restart policy, no health probes, and no labels of Compose's, so that no tool takes it for its model. It runs until
this process closes its standard input or ends; the engine removes it then.
"""

from __future__ import annotations

import json
import os
from types import TracebackType
from typing import Any

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.networks import NetworksApi
from pyd_core.client.transport.base import Duplex
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.holder_program import installed
from pyd_core.linux.process import ProcessEntry, is_alive
from pyd_core.model.container import Container

LABEL = "pyd.debug.owner"
"""Label of a clone: `PID-START` of the process it belongs to."""

PROGRAM = "/.pyd-holder"

_DROPPED = frozenset({"Volumes", "OnBuild", "Image", "Labels", "MacAddress", "Healthcheck", "ExposedPorts"})
_DROPPED_HOST = frozenset({"Binds", "Mounts", "VolumesFrom", "Links", "PortBindings", "ContainerIDFile", "LogConfig"})


def clone_body(
    model: dict[str, Any], program: str, owner: str, *, network: str, writable_volumes: bool
) -> dict[str, Any]:
    """Return what to post to `/containers/create`.

    Args:
        model: The model's inspect document, untouched.
        program: The holder program's path on the host.
        owner: Goes into the label.
        network: The first network's name.
        writable_volumes: Whether volumes the model may write may be written.
    """
    dropped = _DROPPED
    if network.startswith("container:") or model["HostConfig"].get("UTSMode") == "host":
        dropped |= {"Hostname", "Domainname"}  # the other's; engines take no second one
    config = {key: value for key, value in model["Config"].items() if key not in dropped}
    host = {key: value for key, value in model["HostConfig"].items() if key not in _DROPPED_HOST}
    mounts = [_mount(point, writable=writable_volumes) for point in model.get("Mounts") or []]
    mounts = [mount for mount in mounts if mount is not None]
    own = {"Type": "bind", "Source": program, "Target": PROGRAM, "ReadOnly": True}
    return {
        **config,
        "Image": model["Image"],
        "Entrypoint": [PROGRAM],
        "Cmd": [],
        "Labels": {LABEL: owner},
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "AttachStdin": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "StopSignal": "SIGKILL",
        "HostConfig": {
            **host,
            "Mounts": [*mounts, own],
            "NetworkMode": network,
            "PublishAllPorts": False,
            "AutoRemove": True,
            "RestartPolicy": {"Name": "no"},
        },
        "NetworkingConfig": {"EndpointsConfig": {}},
    }


def _mount(point: dict[str, Any], *, writable: bool) -> dict[str, Any] | None:
    kind = point.get("Type")
    if kind not in ("bind", "volume"):
        return None  # a tmpfs is in the host configuration already
    source = point.get("Name") if kind == "volume" else point.get("Source")
    target = point.get("Destination")
    return {"Type": kind, "Source": source, "Target": target, "ReadOnly": not (writable and point.get("RW", True))}


class Clone:
    """A clone that runs as long as the block lasts.

    Args:
        session: The engine, on a local socket.
        container: The model.
        writable_volumes: Whether volumes the model may write may be written.

    Raises:
        PydError: The engine refused; nothing is left.
    """

    def __init__(self, session: ApiClient, container: Container, *, writable_volumes: bool) -> None:
        self._containers = ContainersApi(session)
        self._networks = NetworksApi(session)
        self._model = container
        self._writable = writable_volumes
        self._id = ""
        self._input: Duplex | None = None

    def __enter__(self) -> Container:
        """Start the clone and return its inspect data."""
        try:
            return run_now(self._start())
        except BaseException:
            self._remove()
            raise

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._remove()

    async def _start(self) -> Container:
        await remove_stale(self._containers)
        model = json.loads(await self._containers.inspect_raw(self._model.id))
        mode = model["HostConfig"].get("NetworkMode", "")
        others = sorted(model["NetworkSettings"].get("Networks") or {})
        special = mode in ("none", "host") or mode.startswith("container:")
        first = mode if special or not others else (mode if mode in others else others[0])
        with ProcessEntry(os.getpid()) as own:
            owner = f"{own.pid}-{own.start}"
        body = clone_body(model, installed(), owner, network=first, writable_volumes=self._writable)
        self._id = (await self._containers.create(body)).id
        for name in others if not special else []:
            if name != first:
                await self._networks.connect(name, self._id)
        self._input = await self._containers.attach(self._id, stdin=True)
        await self._containers.start(self._id)
        return await self._containers.inspect(self._id)

    def _remove(self) -> None:
        if self._input is not None:
            run_now(self._input.aclose())
        if self._id:
            run_now(self._containers.discard(self._id))


async def remove_stale(containers: ContainersApi) -> None:
    """Remove clones whose owner was killed before they ran."""
    for left in await containers.list(all=True, filters={"label": [LABEL]}):
        pid, _, start = left.labels.get(LABEL, "").partition("-")
        if pid.isdecimal() and start.isdecimal() and not is_alive(int(pid), int(start)):
            await containers.discard(left.id)
