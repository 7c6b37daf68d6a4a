"""`pyd record`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import json_line, write

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.watch.history_store import Death, HistoryStore


@click.command(
    "record",
    cls=PydCommand,
    examples=(
        ("pyd record", "record in the foreground, with a line for each death"),
        ("pyd record --on-death 'notify-me --json'", "run a command for each death, with JSON on its stdin"),
        ("pyd record --install", "run as a service that starts with the machine"),
    ),
)
@click.option("--on-death", metavar="CMD", help="Command to run for each death, with the death as JSON on its stdin.")
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="History file to write.")
@click.option(
    "--max-size", type=click.IntRange(min=1), default=64, metavar="MIB", help="Maximum size of the file; 64 by default."
)
@click.option("--quiet", "-q", is_flag=True, help="Suppress output.")
@click.option("--install", is_flag=True, help="Install and start the recorder as a systemd service.")
@click.option("--print-unit", is_flag=True, help="Print the unit of that service.")
@pass_state
def command(
    state: State,
    /,
    *,
    on_death: str | None,
    path: Path | None,
    max_size: int,
    quiet: bool,
    install: bool,
    print_unit: bool,
) -> None:
    """Record how containers die, so that `pyd history` can show it after they are removed.

    Deaths since the last run are recorded too, as far as the engine remembers them.
    """
    if install or print_unit:
        from pyd_core.watch.recorder_service import RecorderService

        words = [*(("--on-death", on_death) if on_death else ()), *(("--max-size", str(max_size)) * (max_size != 64))]
        service = RecorderService(words)
        write(f"{service.install()}\n" if install else service.unit)
        return
    from pyd_core.watch.history_path import default_path
    from pyd_core.watch.history_store import HistoryStore
    from pyd_core.watch.recorder_lock import RecorderLock

    file = path or default_path()

    async def work(engine: Provider) -> None:
        lock = RecorderLock(file, engine.endpoint.url)
        store = HistoryStore(file, max_bytes=max_size * 2**20)
        if store.damaged_path is not None:
            click.echo(
                f"pyd: the history was damaged and has been moved to {store.damaged_path}; a new one was started",
                err=True,
            )
        try:
            await record(engine, store, on_death=on_death, json=state.json, quiet=quiet)
        finally:
            store.close()
            lock.close()

    state.run(work)


async def record(engine: Provider, store: HistoryStore, *, on_death: str | None, json: bool, quiet: bool) -> None:
    """Record deaths until SIGTERM or SIGINT."""
    import asyncio
    import signal

    from pyd_core.tasks import TaskOwner
    from pyd_core.watch.death_hook import DeathHook
    from pyd_core.watch.death_recorder import DeathRecorder

    hook = DeathHook(on_death) if on_death else None

    async def died(death: Death) -> None:
        if not quiet:
            write((json_line(death) if json else death_line(death)) + "\n")
            sys.stdout.flush()
        if hook is not None:
            await hook(death)

    def problem(text: str) -> None:
        click.echo(f"pyd: {safe(text)}", err=True)

    await engine.connect()  # report an unreachable engine at once instead of waiting for it
    recorder = DeathRecorder(engine, store, on_death=died, on_problem=problem)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with TaskOwner() as owner:
        task = owner.start(recorder.run(), name="recorder")
        waiting = owner.start(stop.wait(), name="end")
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)


def death_line(death: Death) -> str:
    """Return a death as one line of text."""
    from pyd_core.model.base import format_time
    from pyd_core.triage.text_report import brief

    return f"{format_time(death.ended_ns)[:19]}  {safe(death.name)}  {brief(death.verdict)}"
