"""`pyd service logs`: what the tasks of a service print, on whichever node."""

from __future__ import annotations

import sys
import time

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.timestamps import api_timestamp
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.sanitise import safe
from pyd_tui.cli.swarm.names import ServiceName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write


@click.command(
    "logs", cls=PydCommand, json=False, examples=(("pyd service logs -f --tail 20 web", "the end, and what comes"),)
)
@click.argument("name", type=ServiceName(), metavar="SERVICE")
@click.option("-f", "--follow", is_flag=True, help="Go on with what they print from now on.")
@click.option("-n", "--tail", type=int, metavar="N", help="Only the last N lines of each task.")
@click.option("--since", metavar="TIME", help="Only from then on: 10m, or a time.")
@click.option("-t", "--timestamps", is_flag=True, help="With the time of each line.")
@click.option("--raw", is_flag=True, help="Without the names of tasks.")
@pass_state
def command(
    state: State, /, *, name: str, follow: bool, tail: int | None, since: str | None, timestamps: bool, raw: bool
) -> None:
    """Show what the tasks of a service print."""

    async def work(engine: EngineClient) -> None:
        from pyd_core.client.frames import read_frames
        from pyd_tui.cli.swarm.tasks import named_tasks
        from pyd_tui.console.timespec import parse_when

        service = await engine.services.inspect(name)
        names = {
            named.task.id: f"{named.service}.{named.task.slot or named.node}"
            for named in await named_tasks(engine, {"service": [service.id]})
        }
        since_time = api_timestamp(parse_when(since, now_ns=time.time_ns()) if since else None)
        async with engine.services.logs(
            service.id, follow=follow, tail=tail, since=since_time, timestamps=timestamps, details=True
        ) as stream:
            rest = b""
            async for frame in read_frames(stream.chunks()):
                *lines, rest = (rest + frame.data).split(b"\n")
                for line in lines:
                    write(_line(line.decode(errors="replace"), names, timestamps=timestamps, raw=raw))
                sys.stdout.flush()

    state.run(work)


def _line(text: str, names: dict[str, str], *, timestamps: bool, raw: bool) -> str:
    """Writes one line; the engine puts details such as the task's id before it, after the time."""
    moment, text = text.split(" ", 1) if timestamps and " " in text else ("", text)
    details, _, message = text.partition(" ")
    task = parse_pairs(details.split(",")).get("com.docker.swarm.task.id", "")
    shown = f"{moment} {message}" if moment else message
    return (
        f"{safe(shown, colour=True)}\n" if raw else f"{safe(names.get(task, task[:12]))} | {safe(shown, colour=True)}\n"
    )
