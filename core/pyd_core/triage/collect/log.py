"""The last lines a container printed."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.engine.client import Engine
from pyd_core.engine.frames import STDERR, FrameDecoder, is_framed
from pyd_core.errors import PydError
from pyd_core.model.base import parse_time
from pyd_core.triage.evidence import Case, LogLine, Unread

LAST_LINES = 100
LONGEST = 8192
"""Bytes kept of a line."""
MOST_BYTES = 4 * 2**20
"""Read of all lines together; what is beyond is lost, and the last lines are what is wanted."""

TELLS = "what the program said before it ended"


async def collect(case: Case, engine: Engine) -> None:
    """Reads the last lines of the judged run."""
    run = case.run
    since = None if run.started_ns is None else f"{(run.started_ns - 10**9) / 1e9:.9f}"
    until = None if run.ended_ns is None else f"{(run.ended_ns + 2 * 10**9) / 1e9:.9f}"
    try:
        async with engine.containers.logs(case.container.id, tail=LAST_LINES, since=since, until=until) as stream:
            framed = is_framed(stream.headers, tty=case.container.config.tty)
            chunks: list[bytes] = []
            total = 0
            async for chunk in stream.chunks():
                chunks.append(chunk)
                total += len(chunk)
                while total > MOST_BYTES and not framed:
                    total -= len(chunks.pop(0))
                if total > MOST_BYTES:
                    break
    except PydError as error:
        case.unread.append(Unread(source="log", reason=error.message, would_tell=TELLS))
        return
    case.lines = tuple(parse_lines(b"".join(chunks), framed=framed))


def probe_lines(case: Case) -> tuple[LogLine, ...]:
    """What the last failed health probe of a living container printed, as lines of its own stream, `health`."""
    health = case.container.state.health
    if health is None or not health.log or not case.run.alive or health.log[-1].exit_code == 0:
        return ()
    last = health.log[-1]
    lines = last.output.strip().splitlines()
    return tuple(LogLine(stream="health", time_ns=parse_time(last.end), text=line[:LONGEST]) for line in lines)


def parse_lines(data: bytes, *, framed: bool) -> Iterable[LogLine]:
    """Takes output apart into lines with their stream and time."""
    if not framed:
        yield from (_line("stdout", line) for line in data.splitlines())
        return
    buffers: dict[int, bytearray] = {}
    for frame in FrameDecoder().feed(data):
        buffer = buffers.setdefault(frame.stream, bytearray())
        buffer += frame.data
        while (end := buffer.find(b"\n")) >= 0:
            yield _line("stderr" if frame.stream == STDERR else "stdout", bytes(buffer[:end]))
            del buffer[: end + 1]
    for stream, buffer in buffers.items():
        if buffer:
            yield _line("stderr" if stream == STDERR else "stdout", bytes(buffer))


def _line(stream: str, data: bytes) -> LogLine:
    stamp, _, rest = data.partition(b" ")
    time_ns = parse_time(stamp.decode(errors="replace")) if stamp[4:5] == b"-" else None
    text = (rest if time_ns is not None else data)[:LONGEST]
    return LogLine(stream=stream, time_ns=time_ns, text=text.rstrip(b"\r").decode(errors="replace"))
