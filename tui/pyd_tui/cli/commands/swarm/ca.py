"""`pyd swarm ca`."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("ca", cls=PydCommand, examples=(("pyd swarm ca", "print the root certificate"),))
@click.option("--rotate", is_flag=True, help="Rotate the certificate first; nodes receive new ones.")
@pass_state
def command(state: State, /, *, rotate: bool) -> None:
    """Show or rotate the root certificate of the swarm."""

    def force_rotation(spec: dict[str, Any]) -> None:
        config = spec.setdefault("CAConfig", {})
        config["ForceRotate"] = int(config.get("ForceRotate") or 0) + 1

    async def ask(engine: EngineClient) -> str:
        if rotate:
            await engine.swarm.edit(force_rotation)
        return (await engine.swarm.inspect()).tls_info.trust_root

    root = state.ask(ask)
    if state.json:
        write_json({"root": root})
    else:
        write("".join(f"{safe(line)}\n" for line in root.strip().split("\n")))
