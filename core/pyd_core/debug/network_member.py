"""A throw-away member of a network: `pyd debug net:NAME` sees the network as a container on it does.

It is a container with one tiny program, which ends with its input; the engine removes it then.
"""

from __future__ import annotations

import io
import secrets
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.images import ImagesApi
from pyd_core.client.networks import NetworksApi
from pyd_core.client.options import ImportOptions
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.base import Duplex
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.clone import PROGRAM
from pyd_core.debug.helper.container import LABEL, LIFETIME
from pyd_core.debug.holder_program import program
from pyd_core.debug.machine import engine_machine
from pyd_core.debug.target import NetworkTarget
from pyd_core.errors import NotFound
from pyd_core.model.container import Container
from pyd_core.model.network import Network
from pyd_core.sanitise import safe

REPOSITORY = "localhost/pyd-member"
_FORMAT = 1


@contextmanager
def join_network(engine: ApiClient, target: NetworkTarget) -> Iterator[Container]:
    """Create a container on a network for as long as the block lasts.

    Raises:
        NotFound: There is no such network.
        PydError: The engine refused; nothing is left.
    """
    member = _Member(engine)
    try:
        yield run_now(member.start(target.name))
    finally:
        run_now(member.remove())


async def find_network(engine: ApiClient, name: str) -> Network:
    """Return a network.

    Raises:
        NotFound: The engine has no such network; the hint lists those there are.
    """
    networks = NetworksApi(engine)
    try:
        return await networks.inspect(name)
    except NotFound as error:
        names = [network.name for network in await networks.list()]
        hint = f"there are: {', '.join(map(safe, sorted(names)))}"
        raise NotFound(f"no network {safe(name)!r}", nearest=names, hint=hint) from error


class _Member:
    def __init__(self, engine: ApiClient) -> None:
        self._engine = engine
        self._containers = ContainersApi(engine)
        self._id = ""
        self._input: Duplex | None = None

    async def start(self, name: str) -> Container:
        network = (await find_network(self._engine, name)).name
        body = {
            "Image": await _image(self._engine),
            "Entrypoint": [PROGRAM],
            "Cmd": [],
            "AttachStdin": True,
            "OpenStdin": True,
            "StdinOnce": True,
            "StopSignal": "SIGKILL",
            "Labels": {LABEL: secrets.token_hex(4), f"{LABEL}.expires": str(int(time.time()) + LIFETIME)},
            "HostConfig": {"AutoRemove": True, "NetworkMode": network, "LogConfig": {"Type": "none"}},
        }
        member = f"pyd-on-{network}-{secrets.token_hex(2)}"
        self._id = (await self._containers.create(body, name=member)).id
        self._input = await self._containers.attach(self._id, stdin=True)
        await self._containers.start(self._id)
        return await self._containers.inspect(self._id)

    async def remove(self) -> None:
        if self._input is not None:
            await self._input.aclose()
        if self._id:
            await self._containers.discard(self._id)


async def _image(engine: ApiClient) -> str:
    """Return the name of an image with the program, made first if the engine hasn't got it."""
    machine = engine_machine(engine.where, await SystemApi(engine).info())
    tag = f"{_FORMAT}-{machine}"
    try:
        await ImagesApi(engine).inspect_raw(f"{REPOSITORY}:{tag}")
    except NotFound:
        content, sink = program(machine), io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as tar:
            entry = tarfile.TarInfo(PROGRAM.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        options = ImportOptions(repository=REPOSITORY, tag=tag)
        async with ImagesApi(engine).import_(sink.getvalue(), options) as progress_stream:
            async for _ in progress_stream:
                pass
    return f"{REPOSITORY}:{tag}"
