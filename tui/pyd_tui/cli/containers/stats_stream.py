"""Resource usage for `pyd stats`, once or until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pyd_core.client.names import pick_container
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.delta import Delta
from pyd_core.watch.stats_collector import SAMPLE_INTERVAL_S, StatsCollector
from pyd_tui.console.columns import fitted, plain, write_table
from pyd_tui.console.listing import write_filled
from pyd_tui.console.output import json_line, on_terminal, write, write_json
from pyd_tui.console.render.stats import COLUMNS, TITLES, Line, cells, fields, ordered, record

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

ONCE_INTERVAL_S = 0.5
"""The time between the two samples of `--no-stream`: long enough for a steady rate."""
ONCE_TIMEOUT_S = 5.0
"""The time after which `--no-stream` prints the samples it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsOptions:
    """Options of `pyd stats`.

    Attributes:
        names: The containers; without any, all of them.
        all: Include stopped containers.
        once: Print once and exit.
        sort: `name`, `cpu` or `memory`.
        format: `table`, `json`, a Go template, or `table` and a template; empty is pyd's own table.
    """

    names: tuple[str, ...] = ()
    all: bool = False
    once: bool = False
    sort: str = "name"
    format: str = ""


async def show_stats(engine: Provider, options: StatsOptions, *, json: bool) -> None:
    """Print the resource usage of containers, once or until all the named ones are removed."""
    containers = await engine.containers.list(all=True)
    container_ids = {pick_container(containers, name).id for name in options.names}
    watcher = ContainerWatcher(engine)
    async with _StatsWatch(
        watcher,
        StatsCollector(engine, watcher, interval_s=ONCE_INTERVAL_S if options.once else SAMPLE_INTERVAL_S),
        container_ids,
        options,
    ) as watch:
        if options.once:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ONCE_TIMEOUT_S):
                    while not watch.complete:
                        await watch.wait_for_change()
            if options.format not in {"", "table"}:
                _write_filled(options.format)(watch.lines)
            elif json:
                write_json([record(line) for line in watch.lines])
            else:
                write_table(COLUMNS, cells(watch.lines))
            return
        with _printer(options.format, json=json) as draw:
            last_lines: list[Line] | None = None
            while not watch.stopped:
                await watch.wait_for_change()
                lines = watch.lines
                if watch.live and lines != last_lines:  # the watcher also reports changes that aren't shown here
                    last_lines = lines
                    draw(lines)


class _StatsWatch:
    """A running watcher and stats collector, and the lines to show."""

    def __init__(
        self, watcher: ContainerWatcher, collector: StatsCollector, container_ids: set[str], options: StatsOptions
    ) -> None:
        self._watcher = watcher
        self._collector = collector
        self._container_ids = container_ids
        self._options = options
        self._change = asyncio.Event()
        self._failure: Exception | None = None
        self._tasks = TaskOwner(on_error=self._on_error)

    async def __aenter__(self) -> Self:
        self._watcher.subscribe(self._on_delta)
        self._collector.subscribe(self._change.set)
        self._tasks.start(self._watcher.run())
        self._tasks.start(self._collector.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.aclose()

    @property
    def live(self) -> bool:
        """Return whether the watcher has listed the containers."""
        return self._watcher.connection.state == "live"

    @property
    def stopped(self) -> bool:
        """Return whether all the named containers are removed."""
        return self.live and bool(self._container_ids) and not self._container_ids & self._watcher.containers.keys()

    @property
    def lines(self) -> list[Line]:
        """The lines to show, in order."""
        everything = self._options.all or bool(self._container_ids)
        lines = [
            (container, self._collector.usage.get(container.id))
            for container in self._watcher.containers.values()
            if (not self._container_ids or container.id in self._container_ids)
            and (everything or container.has_processes)
        ]
        return ordered(lines, by=self._options.sort)

    @property
    def complete(self) -> bool:
        """Return whether every running container has rates."""
        return self.live and all(
            usage is not None and usage.cpu_percent is not None
            for container, usage in self.lines
            if container.has_processes
        )

    async def wait_for_change(self) -> None:
        """Wait for the next change."""
        await self._change.wait()
        self._change.clear()
        if self._failure is not None:
            raise self._failure

    def _on_delta(self, _: Delta) -> None:
        self._collector.watch(container.id for container, _ in self.lines if container.has_processes)
        self._change.set()

    def _on_error(self, error: Exception) -> None:
        self._failure = error
        self._change.set()


@contextlib.contextmanager
def _printer(format: str, *, json: bool) -> Iterator[Callable[[list[Line]], None]]:
    if format not in {"", "table"}:
        yield _write_filled(format)
        return
    if json:
        yield _JsonLines().write
        return
    if not on_terminal():
        yield _write_plain
        return
    from rich.live import Live

    from pyd_tui.console.rich_console import console

    terminal = console()
    with Live(console=terminal, auto_refresh=False, transient=False) as live:
        yield lambda lines: live.update(fitted(COLUMNS, cells(lines), terminal.width, hide_empty=False), refresh=True)


class _JsonLines:
    """Writes each sample once, as a JSON line, but not the first of a container, which has no rates."""

    def __init__(self) -> None:
        self._written: dict[str, int] = {}

    def write(self, lines: list[Line]) -> None:
        for container, usage in lines:
            if usage is None or usage.cpu_percent is None or self._written.get(container.id) == usage.time_ns:
                continue
            self._written[container.id] = usage.time_ns
            write(json_line(record((container, usage))) + "\n")
        sys.stdout.flush()


def _write_filled(format: str) -> Callable[[list[Line]], None]:
    def draw(lines: list[Line]) -> None:
        write_filled(format, [fields(line) for line in lines], TITLES)
        sys.stdout.flush()

    return draw


def _write_plain(lines: list[Line]) -> None:
    write(plain(COLUMNS, cells(lines)) + "\n")
    sys.stdout.flush()
