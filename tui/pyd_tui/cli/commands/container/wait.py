"""`pyd wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from pyd_core.sanitise import safe
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.triage.verdict import Verdict


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A stopped container in `--json` output."""

    name: str
    code: int
    verdict: dict[str, object] | None = None


@click.command(
    "wait",
    cls=PydCommand,
    examples=(
        ("pyd wait job", "wait for a container and print its exit code"),
        ("pyd wait --explain job", "add a one-line explanation"),
        ("pyd wait --explain --json a b", "print JSON for programs"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName("running", "restarting"), metavar="CONTAINER...")
@click.option("--explain", is_flag=True, help="Explain why each container ended.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], explain: bool) -> None:
    """Wait until containers stop, then print their exit codes in the order given."""
    ended = state.run(lambda engine: wait(engine, names, explain=explain))
    if state.json:
        write_json([Ended(name=name, code=code, verdict=_to_builtins(verdict)) for name, code, verdict in ended])
        return
    from pyd_core.triage.text_report import brief

    for name, code, verdict in ended:
        write(f"{code}\n" if verdict is None else f"{code}  {safe(name)}  {brief(verdict)}\n")


async def wait(engine: EngineClient, names: tuple[str, ...], *, explain: bool) -> list[tuple[str, int, Verdict | None]]:
    """Wait for several containers concurrently; return name, exit code and verdict of each."""
    import asyncio

    from pyd_core.client.names import pick_container

    known = await engine.containers.list(all=True)
    containers = [pick_container(known, name) for name in names]

    async def wait_for(identity: str) -> tuple[int, Verdict | None]:
        code = (await engine.containers.wait(identity)).status_code
        if not explain:
            return code, None
        from pyd_core.triage.api import explain as why
        from pyd_core.watch.death_recorder import VERDICT_DELAY_S

        await asyncio.sleep(VERDICT_DELAY_S)
        return code, await why(engine, identity)

    results = await asyncio.gather(*(wait_for(container.id) for container in containers))
    return [(container.name, *result) for container, result in zip(containers, results, strict=True)]


def _to_builtins(verdict: Verdict | None) -> dict[str, object] | None:
    return None if verdict is None else msgspec.to_builtins(verdict)
