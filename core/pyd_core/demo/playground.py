"""Setup and removal of the playground."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.options import ImportOptions
from pyd_core.demo.busybox import find_busybox
from pyd_core.demo.images import shell_files, web_files
from pyd_core.errors import Conflict, NotFound, Unsupported
from pyd_core.model.container import COMPOSE_PROJECT, COMPOSE_SERVICE
from pyd_core.model.container_config import HealthConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig, PortBinding, RestartPolicy
from pyd_core.model.network import NetworkBody

LABEL = "pyd.demo"
"""Label on everything that belongs to the playground."""
NAME = "pyd-demo"
WEB_IMAGE, SHELL_IMAGE = f"{NAME}/web", f"{NAME}/shell"
_COMPOSE_LABELS = {"com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False"}
"""Labels by which tools recognise a container of a Compose project."""
SECOND_NS = 1_000_000_000

_CHATTER = """i=0
while true; do
  i=$((i+1))
  echo "$(date +%T) INFO request id=$i path=/cart status=200"
  [ $((i % 7)) = 0 ] && echo "$(date +%T) WARN slow request id=$i took 812 ms" >&2
  [ $((i % 23)) = 0 ] && echo "$(date +%T) ERROR upstream reset id=$i" >&2
  sleep 1
done"""
_CRASH = "echo 'reading /etc/app/config.yml'; sleep 1; echo 'fatal: no such file: /etc/app/config.yml' >&2; exit 3"
_OUT_OF_MEMORY = "echo 'loading the whole catalogue into memory'; sleep 1; tail /dev/zero"
_UNHEALTHY = "echo 'started without its health endpoint'; exec sleep 1000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoContainer:
    """A container of the playground.

    Attributes:
        name: The part after `pyd-demo-`.
        shows: What it demonstrates, in a line.
        body: The request that creates it.
    """

    name: str
    shows: str
    body: CreateBody


def demo_containers() -> list[DemoContainer]:
    """Return all containers of the playground."""
    again = RestartPolicy(name="always")
    web = _body(
        WEB_IMAGE,
        ["/usr/sbin/httpd", "-f", "-v", "-p", "8080", "-h", "/www"],
        HostConfig(port_bindings={"8080/tcp": [PortBinding(host_ip="127.0.0.1")]}, readonly_rootfs=True),
        user="65534",
    )
    probe = HealthConfig(
        test=["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:9999/health"], interval=2 * SECOND_NS, retries=2
    )
    memory = 24 * 2**20
    return [
        DemoContainer(name="web", shows="a web server without a shell: pyd debug pyd-demo-web", body=web),
        DemoContainer(name="chatty", shows="prints all the time: pyd logs -f pyd-demo-chatty", body=_shell(_CHATTER)),
        DemoContainer(
            name="crashing",
            shows="crashes again and again: pyd triage pyd-demo-crashing",
            body=_shell(_CRASH, HostConfig(restart_policy=again)),
        ),
        DemoContainer(
            name="hungry",
            shows="ran out of memory: pyd triage pyd-demo-hungry",
            body=_shell(_OUT_OF_MEMORY, HostConfig(memory=memory, memory_swap=memory)),
        ),
        DemoContainer(
            name="sick",
            shows="runs, and its health check fails: pyd triage pyd-demo-sick",
            body=_shell(_UNHEALTHY, health=probe),
        ),
    ]


def _shell(line: str, host: HostConfig | None = None, *, health: HealthConfig | None = None) -> CreateBody:
    return _body(SHELL_IMAGE, ["/bin/sh", "-c", line], host or HostConfig(), health=health)


def _body(
    image: str, command: list[str], host: HostConfig, *, user: str = "", health: HealthConfig | None = None
) -> CreateBody:
    host = msgspec.structs.replace(host, network_mode=NAME)
    exposed = {port: dict[str, str]() for port in host.port_bindings}
    return CreateBody(
        image=image,
        cmd=command,
        user=user,
        labels={LABEL: "1", COMPOSE_PROJECT: NAME, **_COMPOSE_LABELS},
        exposed_ports=exposed,
        healthcheck=health,
        stop_timeout=1,
        host_config=host,
    )


async def bring_up(engine: EngineClient, machine: str) -> list[DemoContainer]:
    """Create and start the playground.

    Args:
        engine: The engine.
        machine: This host's architecture, as `uname -m` prints it.

    Raises:
        Conflict: It exists already.
        Unsupported: There is no busybox here, or the engine's host has another architecture.
    """
    if await engine.containers.list(all=True, filters=_demo_filters()):
        raise Conflict("the playground is there already", hint="pyd demo down takes it away", reference="demo-is-up")
    engine_machine = (await engine.system.info()).architecture
    if engine_machine and engine_machine != machine:
        raise Unsupported(f"the engine's host is {engine_machine}, and the programs here are for {machine}")
    busybox = find_busybox()
    try:
        await _import(engine, WEB_IMAGE, web_files(busybox))
        await _import(engine, SHELL_IMAGE, shell_files(busybox))
        await engine.networks.create(NetworkBody(name=NAME, labels={LABEL: "1"}))
        containers = demo_containers()
        for part in containers:
            labels = {**part.body.labels, COMPOSE_SERVICE: part.name}
            body = msgspec.structs.replace(part.body, labels=labels)
            container = await engine.containers.create(body, name=f"{NAME}-{part.name}")
            await engine.containers.start(container.id)
    except BaseException:
        await take_down(engine)
        raise
    return containers


async def _import(engine: EngineClient, name: str, files: bytes) -> None:
    options = ImportOptions(repository=name, tag="latest", changes=(f"LABEL {LABEL}=1", "ENV PATH=/bin"))
    async with engine.images.import_(files, options) as progress:
        async for _ in progress:
            pass


async def take_down(engine: EngineClient) -> list[str]:
    """Remove everything that belongs to the playground, and return the names of what was removed."""
    removed = []
    for container in await engine.containers.list(all=True, filters=_demo_filters()):
        await engine.containers.remove(container.id, force=True, volumes=True)
        removed.append(container.name)
    for network in await engine.networks.list(filters=_demo_filters()):
        await engine.networks.remove(network.id)
        removed.append(network.name)
    for image in await engine.images.list(filters=_demo_filters()):
        for name in image.repo_tags or [image.id]:
            try:
                await engine.images.remove(name, force=True)
            except NotFound:
                continue  # removed together with another of its names
            removed.append(name)
    return removed


def _demo_filters() -> dict[str, list[str]]:
    return {"label": [LABEL]}
