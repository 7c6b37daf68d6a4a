"""Printing of container logs: several merged in time order, or searched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pyd_core.sanitise import safe
from pyd_tui.console.output import coloured

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.logs.pattern import LogPattern
    from pyd_core.logs.stream import Batch, LogStream
    from pyd_tui.console.exit_notifier import ExitNotifier
    from pyd_tui.console.log_group import GroupedLogs


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """Options of `pyd logs`.

    Attributes:
        names: The containers.
        follow: Follow log output until they stop.
        restarts: Follow them through restarts, until they are removed.
        tail: The number of lines from the end of each log; None is all.
        since: The start, in nanoseconds since the epoch.
        until: The end, in nanoseconds since the epoch; None is no end.
        times: Show timestamps.
        all: Every container, running or not.
        grep: A regular expression that lines must match; None is all lines.
        ignore_case: Ignore case when matching.
        previous: Only the run before the last restart.
        selector: Labels of a cluster's pods whose logs are shown.
    """

    names: tuple[str, ...]
    follow: bool = False
    restarts: bool = False
    tail: int | None = None
    since: int | None = None
    until: int | None = None
    times: bool = False
    all: bool = False
    grep: str | None = None
    ignore_case: bool = False
    previous: bool = False
    selector: str = ""


async def print_logs(engine: Provider, options: LogsOptions, *, json: bool) -> int:
    """Print logs until they end, and return the number of lines."""
    from pyd_core.client.names import pick_container
    from pyd_core.logs.follow import follow
    from pyd_core.logs.merge import MAX_WAIT_S, merge
    from pyd_tui.console.render.logs import LogPrinter, records

    if options.selector or any("/" in name for name in options.names):
        from pyd_tui.console.log_group import GroupedLogs, is_group

        if is_group(options):
            return await _print_group(GroupedLogs(engine, options), options, json=json)
    known = await engine.containers.list(all=True)
    picked = known if options.all else [pick_container(known, name) for name in options.names]
    containers = {summary.id: summary for summary in picked}
    sources = [
        follow(
            engine,
            summary.id,
            tail=options.tail,
            since=options.since,
            until=options.until,
            follow=options.follow,
            restarts=options.restarts,
            previous=options.previous,
        )
        for summary in containers.values()
    ]
    exit_notifier: ExitNotifier | None = None
    if options.follow and not json and sys.stderr.isatty():
        from pyd_tui.console.exit_notifier import ExitNotifier

        exit_notifier = ExitNotifier(engine)
        sources = [
            exit_notifier.watch(source, container)
            for source, container in zip(sources, containers.values(), strict=True)
        ]
    render: Callable[[Batch], str] = records
    if not json:
        render = LogPrinter(
            [summary.name for summary in containers.values()], times=options.times, colour=coloured()
        ).text
    merged = merge(sources, max_wait_s=MAX_WAIT_S if options.follow else None)
    finished = False
    try:
        count = await _print(merged, options, render)
        finished = True
    finally:
        if exit_notifier is not None:
            await exit_notifier.aclose(wait=finished)
    return count


async def _print_group(group: GroupedLogs, options: LogsOptions, *, json: bool) -> int:
    from pyd_tui.console.render.logs import LogPrinter, records

    merged, names = await group.open()
    printer = LogPrinter(names, times=options.times, colour=coloured(), named=options.follow)
    return await _print(merged, options, records if json else printer.text)


async def _print(merged: LogStream, options: LogsOptions, render: Callable[[Batch], str]) -> int:
    """Print a log until it ends, and return the number of lines."""
    from pyd_core.client.gap import Gap
    from pyd_core.logs.line import LogLine

    test = log_pattern(options).test if options.grep is not None else None
    count = 0
    try:
        async for batch in merged.batches():
            # A batch at a time: a write for each line would cost more than everything before it.
            kept = batch if test is None else [item for item in batch if isinstance(item, Gap) or test(item)]
            count += sum(isinstance(item, LogLine) for item in kept)
            _write(render(kept))
    finally:
        await merged.aclose()
    return count


async def search_logs(engine: Provider, options: LogsOptions, *, json: bool) -> int:
    """Print matching lines of all logs as they are found, in order per container; return their number."""
    from pyd_core.logs.search_all import search_all
    from pyd_tui.console.render.logs import LogPrinter, records

    known = await engine.containers.list(all=True)
    render: Callable[[Batch], str] = records
    if not json:
        render = LogPrinter([container.name for container in known], times=options.times, colour=coloured()).text
    count = 0
    failed = 0
    findings = search_all(
        engine, known, log_pattern(options), tail=options.tail, since=options.since, until=options.until
    )
    async for finding in findings:
        count += len(finding.lines)
        _write(render([*finding.lines]))
        if finding.error is not None:
            failed += 1
            click.echo(f"pyd: {safe(finding.container.name)}: {safe(finding.error.message)}", err=True)
    if not json:
        scope = f"{len(known)} container{'s' * (len(known) != 1)}" + (
            f", {failed} of which can't be read" if failed else ""
        )
        click.echo(f"{count:,} line{'s' * (count != 1)} found in {scope}", err=True)
    return count


def log_pattern(options: LogsOptions) -> LogPattern:
    """Return the pattern that `--grep` stands for."""
    from pyd_core.logs.pattern import LogPattern

    return LogPattern(options.grep or "", regex=True, case_sensitive=not options.ignore_case)


def _write(text: str) -> None:
    if text:
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()
