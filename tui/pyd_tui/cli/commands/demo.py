"""`pyd demo`: demo containers on any engine."""

from __future__ import annotations

import platform

import click

from pyd_core.client.engine_client import EngineClient
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
    ),
)
@click.argument("what", type=click.Choice(("up", "down")), default="up", metavar="[up|down]")
@pass_state
def command(state: State, /, *, what: str) -> None:
    """Create or remove demo containers: a web server, a logger, a crash loop, an OOM kill, a failing health check."""
    if what == "down":
        _down(state)
    else:
        _up(state)


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
