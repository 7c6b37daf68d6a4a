"""`pyd demo`: demo containers on any engine, and broken pods in a cluster."""

from __future__ import annotations

import platform

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.provider import Provider
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "demo",
    cls=PydCommand,
    examples=(
        ("pyd demo", "create five demo containers, without a registry"),
        ("pyd", "open the dashboard on them"),
        ("pyd demo down", "remove them"),
        ("pyd demo --kube", "create running and broken pods in namespace pyd-demo of a cluster"),
    ),
)
@click.argument("what", type=click.Choice(("up", "down")), default="up", metavar="[up|down]")
@click.option("--image", default="", metavar="NAME", help="Image of pods in a cluster; by default one on its nodes.")
@pass_state
def command(state: State, /, *, what: str, image: str) -> None:
    """Create or remove demo containers: a web server, a logger, a crash loop, an OOM kill, a failing health check.

    In a cluster, create or remove a namespace with pods, each broken in another way.
    """
    if state.endpoint().is_cluster:
        _down_in_cluster(state) if what == "down" else _up_in_cluster(state, image)
        return
    if image:
        raise InvalidInput("--image is for clusters", hint="add --kube")
    if what == "down":
        _down(state)
    else:
        _up(state)


def _up_in_cluster(state: State, image: str) -> None:
    from pyd_core.demo.cluster_playground import NAMESPACE, DemoObject, bring_up
    from pyd_core.kube.cluster_client import ClusterClient

    async def work(provider: Provider) -> list[DemoObject]:
        assert isinstance(provider, ClusterClient)  # noqa: S101 - by its address
        return await bring_up(provider.cluster, image)

    objects = [part for part in state.run_provider(work) if part.shows]
    if state.json:
        write_json({"namespace": NAMESPACE, "objects": [f"{part.resource}/{part.name}" for part in objects]})
        return
    width = max(len(part.name) for part in objects)
    for part in objects:
        write(f"{part.name:<{width}}  {part.shows}\n")
    write(
        f"\nRun pyd -H kube:///{NAMESPACE} to see the pods, with triage after it to read why they are broken,\n"
        "and pyd demo --kube down to remove them.\n"
    )


def _down_in_cluster(state: State) -> None:
    from pyd_core.demo.cluster_playground import NAMESPACE, take_down
    from pyd_core.kube.cluster_client import ClusterClient

    async def work(provider: Provider) -> bool:
        assert isinstance(provider, ClusterClient)  # noqa: S101 - by its address
        return await take_down(provider.cluster)

    is_removed = state.run_provider(work)
    if state.json:
        write_json({"removed": [NAMESPACE] if is_removed else []})
    else:
        write(f"{NAMESPACE}\n" if is_removed else "no demo pods found\n")


def _up(state: State) -> None:
    from pyd_core.demo.playground import NAME, DemoContainer, bring_up

    async def work(engine: EngineClient) -> tuple[list[DemoContainer], str]:
        containers = await bring_up(engine, platform.machine())
        published = (await engine.containers.inspect(f"{NAME}-web")).network_settings.ports.get("8080/tcp") or []
        return containers, f"http://127.0.0.1:{published[0].host_port}/" if published else ""

    containers, address = state.run(work)
    if state.json:
        write_json({"containers": [f"{NAME}-{container.name}" for container in containers], "web": address})
        return
    width = max(len(container.name) for container in containers) + len(NAME) + 1
    for container in containers:
        write(f"{NAME + '-' + container.name:<{width}}  {container.shows}\n")
    write(
        f"\nThe web server listens on {safe(address)}. Run pyd to see the containers, pyd demo down to remove them.\n"
    )


def _down(state: State) -> None:
    from pyd_core.demo.playground import take_down

    removed = state.run(take_down)
    if state.json:
        write_json({"removed": removed})
    elif removed:
        write("".join(f"{safe(name)}\n" for name in removed))
    else:
        write("no demo containers found\n")
