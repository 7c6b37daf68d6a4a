"""`pyd logs`: what containers print."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.object_names import ContainerName
from pyd_tui.console.command import Verb
from pyd_tui.console.output import coloured
from pyd_tui.console.timespec import parse_when

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.logs.pattern import LogPattern
    from pyd_core.logs.stream import Batch
    from pyd_tui.cli.exit_notifier import ExitNotifier


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """What `pyd logs` was asked for.

    Attributes:
        names: The containers.
        follow: Go on with what they print from now on.
        restarts: Follow them through restarts, until they are removed.
        tail: Lines from the end of each; None is all.
        since: Nanoseconds since the epoch, as the next.
        until: None is no end.
        times: Tell when.
        all: Every container, running or not.
        grep: Only lines in which this regular expression is found; None is all lines.
        ignore_case: Whatever their case.
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


def _tail(_: click.Context, __: click.Parameter, value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdecimal():
        raise InvalidInput(f"not a number of lines: {value!r}", hint="write a number, or all")
    return int(value)


def _when(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    return None if value is None else parse_when(value, now_ns=time.time_ns())


@click.command(
    "logs",
    cls=Verb,
    examples=(
        ("pyd logs web", "all it has printed, errors included"),
        ("pyd logs -f -n 50 web db", "follow two from their last 50 lines, in time order"),
        ("pyd logs -F web", "go on when it restarts"),
        ("pyd logs --since 10m -t web", "the last ten minutes, with times"),
        ("pyd logs --json web | jq .message", "a JSON document a line"),
        ("pyd logs --all --grep 'timeout|refused'", "look in every container's log, the stopped ones too"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName(), metavar="CONTAINER...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what they print, until they end.")
@click.option("-F", "restarts", is_flag=True, help="The same, through restarts, until they are removed.")
@click.option("-n", "--tail", default="all", metavar="N", callback=_tail, help="Only the last N lines of each.")
@click.option("--since", metavar="TIME", callback=_when, help="Only from then on: 10m, 2025-06-01T12:00, 1748779200.")
@click.option("--until", metavar="TIME", callback=_when, help="Only till then.")
@click.option("-t", "--timestamps", "times", is_flag=True, help="Tell when each line was printed.")
@click.option("-a", "--all", is_flag=True, help="Every container, running or not.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found; exit code 1 if there are none.")
@click.option("-i", "--ignore-case", is_flag=True, help="Find it whatever its case.")
@pass_state
def command(state: State, /, *, follow: bool, restarts: bool, **given: object) -> None:
    """Show what containers print, their standard and error output alike, several merged in time order."""
    options = LogsOptions(follow=follow or restarts, restarts=restarts, **given)  # type: ignore[arg-type]
    if bool(options.names) == options.all:
        raise click.UsageError("name containers, or ask for --all" if not options.all else "either names or --all")
    if options.grep is not None:
        _ = _pattern(options).expression  # what makes no sense is said before anything is asked
    if options.all and options.grep is not None and not options.follow:
        found = state.run(lambda engine: search(engine, options, json=state.json))
    else:
        work = state.run if options.follow else state.ask
        found = work(lambda engine: show(engine, options, json=state.json))
    if not found and options.grep is not None:
        raise click.exceptions.Exit(1)


async def show(engine: EngineClient, options: LogsOptions, *, json: bool) -> int:
    """Prints the logs until they end, and returns how many lines they had."""
    from pyd_core.client.gap import Gap  # noqa: PLC0415 - not for help and completion
    from pyd_core.client.names import pick_container  # noqa: PLC0415 - likewise
    from pyd_core.logs.follow import follow  # noqa: PLC0415 - likewise
    from pyd_core.logs.line import LogLine  # noqa: PLC0415 - likewise
    from pyd_core.logs.merge import PATIENCE, merge  # noqa: PLC0415 - likewise
    from pyd_tui.console.render.logs import LogPrinter, records  # noqa: PLC0415 - likewise

    known = await engine.containers.list(all=True)
    picked = known if options.all else [pick_container(known, name) for name in options.names]
    found = {summary.id: summary for summary in picked}
    sources = [
        follow(
            engine,
            summary.id,
            tail=options.tail,
            since=options.since,
            until=options.until,
            follow=options.follow,
            restarts=options.restarts,
        )
        for summary in found.values()
    ]
    obituaries: ExitNotifier | None = None
    if options.follow and not json and sys.stderr.isatty():
        from pyd_tui.cli.exit_notifier import ExitNotifier  # noqa: PLC0415 - for whoever follows on a terminal

        obituaries = ExitNotifier(engine)
        sources = [obituaries.watch(source, one) for source, one in zip(sources, found.values(), strict=True)]
    render: Callable[[Batch], str] = records
    if not json:
        render = LogPrinter([summary.name for summary in found.values()], times=options.times, colour=coloured()).text
    test = _pattern(options).test if options.grep is not None else None
    merged = merge(sources, patience=PATIENCE if options.follow else None)
    count = 0
    over = False
    try:
        async for batch in merged.batches():
            # A batch at a time: a write for each line would cost more than everything before it.
            kept = batch if test is None else [item for item in batch if isinstance(item, Gap) or test(item)]
            count += sum(isinstance(item, LogLine) for item in kept)
            _write(render(kept))
        over = True
    finally:
        await merged.aclose()
        if obituaries is not None:
            await obituaries.aclose(tell=over)
    return count


async def search(engine: EngineClient, options: LogsOptions, *, json: bool) -> int:
    """Prints what is found in all logs, as it is found, those of one container in order; returns how many lines."""
    from pyd_core.logs.search_all import sweep  # noqa: PLC0415 - not for help and completion
    from pyd_tui.console.render.logs import LogPrinter, records  # noqa: PLC0415 - likewise

    known = await engine.containers.list(all=True)
    render: Callable[[Batch], str] = records
    if not json:
        render = LogPrinter([one.name for one in known], times=options.times, colour=coloured()).text
    count = 0
    failed = 0
    findings = sweep(engine, known, _pattern(options), tail=options.tail, since=options.since, until=options.until)
    async for finding in findings:
        count += len(finding.lines)
        _write(render([*finding.lines]))
        if finding.error is not None:
            failed += 1
            click.echo(f"pyd: {safe(finding.container.name)}: {safe(finding.error.message)}", err=True)
    if not json:
        where = f"{len(known)} container{'s' * (len(known) != 1)}" + (
            f", {failed} of which can't be read" if failed else ""
        )
        click.echo(f"{count:,} line{'s' * (count != 1)} found in {where}", err=True)
    return count


def _pattern(options: LogsOptions) -> LogPattern:
    from pyd_core.logs.pattern import LogPattern  # noqa: PLC0415 - not for help and completion

    return LogPattern(options.grep or "", regex=True, case=not options.ignore_case)


def _write(text: str) -> None:
    if text:
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()
