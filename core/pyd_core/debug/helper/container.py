"""The helper container: the request that creates it, and its removal.

It ends when its client closes its input or ends, and when its time is over; the engine then removes it. A helper that
an engine couldn't remove (its host lost power) is removed by the next one once its time is over.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from types import TracebackType
from typing import Any, Self

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.base import Duplex
from pyd_core.client.transport.blocking import BlockingDuplex, run_now
from pyd_core.debug.helper import wire
from pyd_core.debug.helper.image import python_command
from pyd_core.debug.helper.link import AgentLink
from pyd_core.debug.helper.tiers import Tier
from pyd_core.errors import ProtocolError
from pyd_core.model.container import Container
from pyd_core.model.host_config import HostConfig
from pyd_core.model.system import Info

LABEL = "pyd.debug"
"""Label of every helper: the session's name. Next to it `.target`, `.client`, `.expires` (seconds since the epoch)."""

LIFETIME = 12 * 3600
"""Seconds after which a helper ends on its own."""

MEMORY_SHARE = 4
"""A session may take this part of the host's memory."""
MAX_PROCESSES = 4096


def helper_body(target: Container, tier: Tier, image: str, toolbox: str, info: Info, *, name: str) -> dict[str, Any]:
    """Return what to post to `/containers/create`.

    Args:
        target: The container to enter.
        tier: Its rights.
        image: The helper's image.
        toolbox: The directory of the toolbox that the image was made from.
        info: The engine's system info.
        name: The session's name.
    """
    shares_host = tier.privileged or target.host_config.pid_mode == "host"
    host: dict[str, Any] = {
        "AutoRemove": True,
        "NetworkMode": "none" if tier.joins else f"container:{target.id}",
        **_shared(target.host_config),
        "PidMode": "host" if shares_host else f"container:{target.id}",
        "ReadonlyRootfs": True,
        "LogConfig": {"Type": "none"},  # what is typed and shown belongs in no log
        "CapDrop": ["ALL"],
        "CapAdd": [f"CAP_{capability.upper()}" for capability in tier.capabilities],
        "SecurityOpt": ["apparmor=unconfined", "label=disable"] if tier.unconfined else [],
    }
    if tier.privileged:
        host |= {"Privileged": True, "UsernsMode": "host", "CapDrop": None, "CapAdd": None}
    if info.memory_limit:
        host["Memory"] = info.mem_total // MEMORY_SHARE
    if info.pids_limit:
        host["PidsLimit"] = MAX_PROCESSES
    return {
        "Image": image,
        "Entrypoint": [*python_command(toolbox), "-c", wire.BOOT, str(LIFETIME)],
        "Cmd": [],
        "User": "0:0",
        "WorkingDir": "/",
        "Env": [],
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "StopSignal": "SIGKILL",
        "Labels": {
            LABEL: name,
            f"{LABEL}.target": target.id,
            f"{LABEL}.client": f"{socket.gethostname()}:{os.getpid()}",
            f"{LABEL}.expires": str(int(time.time()) + LIFETIME),
        },
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {}},
    }


def _shared(target: HostConfig) -> dict[str, str]:
    """Return what of the host's a target has, and a helper is to have as well.

    Without root the host's namespaces can't be entered from others, not even by who may enter the target's.
    """
    modes = {"NetworkMode": target.network_mode, "IpcMode": target.ipc_mode, "UTSMode": target.uts_mode}
    return {name: mode for name, mode in modes.items() if mode == "host"}


class Helper:
    """A helper container that runs as long as the block lasts; inside it, `link` leads to its agent.

    Args:
        session: The engine.
        body: The request, from `helper_body`.

    Raises:
        PydError: The engine refused; nothing is left.
    """

    def __init__(self, session: ApiClient, body: dict[str, Any]) -> None:
        self._containers = ContainersApi(session)
        self._body = body
        self._id = ""
        self._stream: Duplex | None = None

    def __enter__(self) -> Self:
        try:
            run_now(self._start())
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._remove()

    def link(self, target: str) -> AgentLink:
        """Return the connection to the agent, which gets its program; `target` is what errors call the container."""
        if not isinstance(self._stream, BlockingDuplex):
            raise ProtocolError("the engine gave no connection to the helper container")
        link = AgentLink(*self._stream.take_over(), target)
        link.boot()
        return link

    async def _start(self) -> None:
        name = f"pyd-debug-{self._body['Labels'][LABEL]}"
        self._id = (await self._containers.create(self._body, name=name)).id
        self._stream = await self._containers.attach(self._id, stdin=True)
        await self._containers.start(self._id)

    def _remove(self) -> None:
        if self._stream is not None:
            run_now(self._stream.aclose())
        if self._id:
            run_now(self._containers.discard(self._id))


def new_name() -> str:
    """Return a random name of a session."""
    return secrets.token_hex(4)


async def remove_expired(containers: ContainersApi) -> None:
    """Remove helpers whose time is over."""
    for left in await containers.list(all=True, filters={"label": [LABEL]}):
        expires = left.labels.get(f"{LABEL}.expires", "")
        if expires.isdecimal() and int(expires) < time.time():
            await containers.discard(left.id)
