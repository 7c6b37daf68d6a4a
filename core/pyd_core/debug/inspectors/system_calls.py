"""The output of strace as events (strace(1))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from pyd_core.errors import NotFound, PydError, Refused

CALLS = {
    "exec": "execve,execveat",
    "open": "open,openat,openat2,creat",
    "connect": "connect,bind,accept,accept4,listen",
    "signal": "kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal",
}
"""Kinds of events, and their system calls; signals that arrive are events too."""

_LINE = re.compile(r"(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(\d+\.\d+)\s+(.*)", re.DOTALL)
_RESULT = re.compile(r"(.*)\)\s+= (-?\d+|\?|0x[0-9a-f]+)(?:\s+(E[A-Z0-9]+) \((.*?)\))?.*", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_SIGNAL = re.compile(r"--- (SIG\w+) \{(.*)\} ---")
_ENDED = re.compile(r"\+\+\+ (.*) \+\+\+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_UNFINISHED = "<unfinished ...>"


class CallEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A system call, or a signal that arrived."""

    time: float
    """Seconds since the epoch."""
    pid: int
    """As the target numbers it."""
    call: str
    """A system call; `signal` or `end`."""
    arguments: str
    result: str = ""
    error: str = ""
    """The error's name, `ENOENT` for one; empty when it went well."""

    @property
    def subject(self) -> str:
        """The command, path or address it is about, or all its arguments."""
        if self.call in ("connect", "bind"):
            return _address(self.arguments)
        if self.call.startswith("exec"):
            program, bracket, words = self.arguments.partition("[")
            return " ".join(_STRING.findall(words if bracket else program))
        quoted = _STRING.search(self.arguments)
        return quoted[1] if quoted and self.call not in CALLS["signal"].split(",") else self.arguments


def parse_trace(lines: Iterable[str], main: int) -> Iterator[CallEvent]:
    """Read the lines of `strace -f -ttt`, with the parts of interrupted calls put together again.

    Args:
        lines: The lines of output.
        main: The process asked for: strace leaves its number out while it is alone.

    Raises:
        PydError: strace says that it can't trace.
    """
    begun: dict[int, str] = {}
    for raw in lines:
        line = raw.rstrip("\n")
        if line.startswith(("strace:", "/dev/.pyd/bin/strace:")):
            _complain(line)
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        pid, moment, rest = int(match[1] or match[2] or main), float(match[3]), match[4]
        if rest.endswith(_UNFINISHED):
            begun[pid] = rest.removesuffix(_UNFINISHED).rstrip()
            continue
        if resumed := _RESUMED.fullmatch(rest):
            rest = begun.pop(pid, f"{resumed[1]}(") + resumed[2].strip()
        event = _event(pid, moment, rest)
        if event is not None:
            yield event


def _event(pid: int, moment: float, text: str) -> CallEvent | None:
    if arrived := _SIGNAL.fullmatch(text):
        return CallEvent(time=moment, pid=pid, call="signal", arguments=arrived[1], result=_sender(arrived[2]))
    if ended := _ENDED.fullmatch(text):
        return CallEvent(time=moment, pid=pid, call="end", arguments=ended[1])
    call, bracket, rest = text.partition("(")
    match = _RESULT.fullmatch(rest)
    if not bracket or match is None or not call.isidentifier():
        return None
    return CallEvent(time=moment, pid=pid, call=call, arguments=match[1], result=match[2], error=match[3] or "")


def _sender(fields: str) -> str:
    sender = re.search(r"si_pid=(\d+)", fields)
    return f"from pid {sender[1]}" if sender else ""


def _address(arguments: str) -> str:
    port = re.search(r"sin6?_port=htons\((\d+)\)", arguments)
    host = re.search(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"', arguments)
    if port and host:
        return f"[{host[1]}]:{port[1]}" if ":" in host[1] else f"{host[1]}:{port[1]}"
    path = re.search(r'sun_path=(@?"[^"]*")', arguments)
    return path[1] if path else arguments


def _complain(line: str) -> None:
    text = line.partition(": ")[2]
    if "Operation not permitted" in text:
        raise Refused(
            f"strace: {text}",
            hint="another process may trace it, or Yama forbids it; among the host's processes: --cap-add SYS_PTRACE",
        )
    if "No such process" in text:
        raise NotFound(f"strace: {text}", hint="list processes with: ps", reference="no-such-process")
    if "attach" in text or "ptrace" in text:
        raise PydError(f"strace: {text}", reference="trace-failed")
