"""`pyd service logs`: logs of a service's tasks on all nodes."""

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
    "logs",
    cls=PydCommand,
    json=False,
    examples=(("pyd service logs -f --tail 20 web", "show the last 20 lines of each task and follow"),),
)
@click.argument("name", type=ServiceName(), metavar="SERVICE")
@click.option("-f", "--follow", is_flag=True, help="Follow log output.")
@click.option("-n", "--tail", type=int, metavar="N", help="Show only the last N lines of each task.")
@click.option("--since", metavar="TIME", help="Show logs since a time, such as 10m.")
@click.option("-t", "--timestamps", is_flag=True, help="Show timestamps.")
@click.option("--raw", is_flag=True, help="Omit task names.")
@pass_state
def command(
    state: State, /, *, name: str, follow: bool, tail: int | None, since: str | None, timestamps: bool, raw: bool
) -> None:
    """Show the logs of a service's tasks."""

    async def print_logs(engine: EngineClient) -> None:
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

    state.run(print_logs)


def _line(text: str, names: dict[str, str], *, timestamps: bool, raw: bool) -> str:
    """Return a line for output; the engine puts the time and details such as the task's id in front."""
    timestamp, text = text.split(" ", 1) if timestamps and " " in text else ("", text)
    details, _, message = text.partition(" ")
    task = parse_pairs(details.split(",")).get("com.docker.swarm.task.id", "")
    line = f"{timestamp} {message}" if timestamp else message
    return (
        f"{safe(line, colour=True)}\n" if raw else f"{safe(names.get(task, task[:12]))} | {safe(line, colour=True)}\n"
    )
