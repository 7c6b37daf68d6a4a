"""Log lines as text for a terminal or a pipe: the hot path of `pyd logs`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine
from pyd_core.model.base import format_time
from pyd_core.sanitise import safe, safe_bytes
from pyd_tui.console.output import json_line

_NAME_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""SGR codes, those readable on dark and light backgrounds first; red is reserved for errors."""
MAX_NAMES = 10_000
"""Names with a prefix of their own, so that containers that come and go don't fill memory."""
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")


class LineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A line in `pyd logs --json`."""

    container: str
    id: str
    stream: str
    time: str
    """RFC 3339 in UTC; empty if the engine doesn't report it."""
    message: str
    """Decoded text: invalid UTF-8 is replaced, control characters are kept and escaped by JSON."""
    cut: int
    """Bytes dropped from the end of an overlong line."""


class LogPrinter:
    """Formats log lines as text.

    Args:
        names: The names of the containers; with more than one, each line starts with its container's name.
        named: Start each line with a name however few the containers are.
        times: Show the time at which the engine read each line.
        colour: Colour names, and keep the containers' own colours; otherwise, remove them.
    """

    def __init__(self, names: Sequence[str], *, times: bool = False, colour: bool = False, named: bool = False) -> None:
        self._named = named
        self._times = times
        self._colour = colour
        self._prefixes = _prefixes(names, colour=colour) if len(names) > 1 or (named and names) else {}

    def text(self, items: Iterable[LogLine | Gap]) -> str:
        """Return items as lines, each with its newline."""
        return "".join([self._gap(item) if isinstance(item, Gap) else self._line(item) for item in items])

    def _line(self, line: LogLine) -> str:
        data = line.data
        if data.endswith(b"\r"):
            data = data[:-1]
        if b"\x1b" not in data:
            text = safe_bytes(data)
        elif self._colour:
            text = safe_bytes(data, colour=True) + "\x1b[0m"
        else:
            text = safe_bytes(_SGR.sub(b"", data))
        if line.cut:
            text += f" … ({line.cut} bytes cut)"
        if self._times:
            text = f"{format_time(line.time_ns)} {text}" if line.time_ns else text
        if self._prefixes or self._named:
            return f"{self._prefixes.get(line.name) or self._late_prefix(line.name)} {text}\n"
        return f"{text}\n"

    def _late_prefix(self, name: str) -> str:
        """Return the prefix of a container that came after the printer was made, with a colour of its own."""
        if len(self._prefixes) >= MAX_NAMES:
            return f"{safe(name)} |"
        code = _NAME_COLOURS[len(self._prefixes) % len(_NAME_COLOURS)]
        prefix = f"\x1b[{code}m{safe(name)} |\x1b[0m" if self._colour else f"{safe(name)} |"
        self._prefixes[name] = prefix
        return prefix

    def _gap(self, gap: Gap) -> str:
        text = f"-- {gap_words(gap)} --"
        return f"\x1b[33m{text}\x1b[0m\n" if self._colour else f"{text}\n"


def records(items: Iterable[LogLine | Gap]) -> str:
    """Return one JSON document per line; a gap is `{"gap": …}`."""
    return "".join([json_line({"gap": item} if isinstance(item, Gap) else record(item)) + "\n" for item in items])


def record(line: LogLine) -> LineRecord:
    """Return the record of a line."""
    return LineRecord(
        container=line.name,
        id=line.container_id,
        stream=line.stream,
        time=format_time(line.time_ns) if line.time_ns else "",
        message=line.data.decode(errors="replace"),
        cut=line.cut,
    )


def gap_words(gap: Gap) -> str:
    """Return a description of a gap and the number of lines lost."""
    where = f"{safe(gap.name)}: " if gap.name else ""
    span = max(0.0, (gap.until_ns - gap.since_ns) / 1e9)
    lost = "some lines may be missing" if gap.lost is None else f"{gap.lost} lines lost" if gap.lost else "nothing lost"
    return f"{where}{safe(gap.reason)}, for {span:.1f} s: {lost}"


def _prefixes(names: Sequence[str], *, colour: bool) -> dict[str, str]:
    width = max(map(len, map(safe, names)))
    prefixes = {}
    for index, name in enumerate(dict.fromkeys(names)):
        prefix = f"{safe(name):<{width}} |"
        code = _NAME_COLOURS[index % len(_NAME_COLOURS)]
        prefixes[name] = f"\x1b[{code}m{prefix}\x1b[0m" if colour else prefix
    return prefixes
