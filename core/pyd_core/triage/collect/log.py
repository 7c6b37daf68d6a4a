"""The last lines a container printed."""

from __future__ import annotations

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

TELLS = "what the program said before it ended"


async def collect(case: Case, engine: Provider) -> None:
    """Read the last lines of the judged run."""
    run = case.run
    since = None if run.started_ns is None else run.started_ns - SLACK_NS
    until = None if run.ended_ns is None else run.ended_ns + SLACK_NS
    lines: list[EvidenceLogLine] = []
    try:
        stream = follow(
            engine, case.container.id, tail=LAST_LINES, since=since, until=until, max_line_bytes=MAX_LINE_BYTES
        )
        async for batch in stream.batches():
            lines += [as_evidence(line) for line in batch if isinstance(line, Printed)]
    except PydError as error:
        case.unread.append(UnavailableSource(source="log", reason=error.message, would_tell=TELLS))
        return
    case.lines = tuple(lines)


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
