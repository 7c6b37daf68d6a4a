"""The last lines a container printed."""

from __future__ import annotations

from collections import deque

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine as Printed
from pyd_core.model.base import parse_time
from pyd_core.triage.evidence import Case, EvidenceLogLine, UnavailableSource

LAST_LINES = 100
MAX_LINE_BYTES = 8192
"""Bytes kept of a line."""
SLACK_NS = 2_000_000_000
"""Output is stamped by another process than the one that stamps start and end."""

OVERTAKE_NS = 10_000_000_000
"""Nanoseconds before the last lines in which lines of stderr still belong to them."""
MAX_SEARCHED_LINES = 10_000
"""Last lines of both streams among which an engine looks for those of stderr."""
MAX_EARLIER_LINES = 50
"""Lines of stderr that are kept from before the last lines."""

TELLS = "what the program said before it ended"


async def collect(case: Case, engine: Provider) -> None:
    """Read the last lines of the judged run."""
    run = case.run
    since = None if run.started_ns is None else run.started_ns - SLACK_NS
    until = None if run.ended_ns is None else run.ended_ns + SLACK_NS
    try:
        lines = await _read(engine, case.container.id, tail=LAST_LINES, since=since, until=until)
        if _may_be_overtaken(case, lines):
            lines = [*await _overtaken(engine, case.container.id, lines[0].time_ns or 0, since), *lines]
    except PydError as error:
        case.unread.append(UnavailableSource(source="log", reason=error.message, would_tell=TELLS))
        return
    case.lines = tuple(lines)


async def _read(
    engine: Provider,
    container: str,
    *,
    tail: int,
    since: int | None,
    until: int | None,
    stdout: bool = True,
    keep: int | None = None,
) -> list[EvidenceLogLine]:
    """Return the last lines, at most `keep` of them."""
    lines: deque[EvidenceLogLine] = deque(maxlen=keep)
    stream = follow(
        engine, container, tail=tail, since=since, until=until, stdout=stdout, max_line_bytes=MAX_LINE_BYTES
    )
    async for batch in stream.batches():
        lines.extend(as_evidence(line) for line in batch if isinstance(line, Printed))
    return list(lines)


def _may_be_overtaken(case: Case, lines: list[EvidenceLogLine]) -> bool:
    """Return whether lines of stderr may lie before the last lines: none is among them, and there are earlier ones.

    An engine reads the two streams from two pipes. A program fills one with output, prints its error to the other and
    exits: the error is then stored before output that was printed earlier.
    """
    separate = case.pod is None and not case.container.config.tty
    full = len(lines) >= LAST_LINES and lines[0].time_ns is not None
    return separate and full and all(line.stream == "stdout" for line in lines)


async def _overtaken(engine: Provider, container: str, first_ns: int, started_ns: int | None) -> list[EvidenceLogLine]:
    """Return the lines of stderr from shortly before the last lines of both."""
    since = max(started_ns or 0, first_ns - OVERTAKE_NS)
    return await _read(
        engine, container, tail=MAX_SEARCHED_LINES, since=since, until=first_ns, stdout=False, keep=MAX_EARLIER_LINES
    )


def as_evidence(line: Printed) -> EvidenceLogLine:
    """A line of output as evidence."""
    text = line.data.rstrip(b"\r").decode(errors="replace")
    return EvidenceLogLine(stream=line.stream, time_ns=line.time_ns or None, text=text)


def probe_lines(case: Case) -> tuple[EvidenceLogLine, ...]:
    """Return the output of the last failed health probe of a running container, as lines of the stream `health`."""
    health = case.container.state.health
    if health is None or not health.log or not case.run.alive or health.log[-1].exit_code == 0:
        return ()
    last = health.log[-1]
    lines = last.output.strip().splitlines()
    return tuple(
        EvidenceLogLine(stream="health", time_ns=parse_time(last.end), text=line[:MAX_LINE_BYTES]) for line in lines
    )
