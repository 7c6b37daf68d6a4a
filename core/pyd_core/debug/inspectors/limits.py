"""The resource limits of a process of the target (proc_pid_limits(5), getrlimit(2))."""

from __future__ import annotations

import re

import msgspec

from pyd_core.debug.access import Access
from pyd_core.errors import PydError

_GAP = re.compile(r"\s{2,}")


class ProcessLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A resource limit."""

    name: str
    soft: int | None
    """None where there is no limit."""
    hard: int | None
    unit: str = ""
    used: int | None = None
    """The process's use of it, where that is known."""

    @property
    def near(self) -> bool:
        """True where nine tenths of it are used."""
        return self.used is not None and self.soft is not None and self.used * 10 >= self.soft * 9


def read_limits(access: Access, host_pid: int) -> list[ProcessLimit]:
    """Return a process's limits, with what it uses of open files, stack and locked memory."""
    text = access.proc(host_pid, "limits").decode(errors="replace")
    return parse_limits(text, _used(access, host_pid))


def parse_limits(text: str, used: dict[str, int]) -> list[ProcessLimit]:
    """Read the text of a `limits` file: columns are two spaces or more apart."""
    limits: list[ProcessLimit] = []
    for line in text.splitlines()[1:]:
        name, soft, hard, *unit = _GAP.split(line.strip())
        name = name.removeprefix("Max ")
        numbers = [int(value) if value.isdigit() else None for value in (soft, hard)]
        limits.append(
            ProcessLimit(name=name, soft=numbers[0], hard=numbers[1], unit=unit[0] if unit else "", used=used.get(name))
        )
    return limits


def _used(access: Access, host_pid: int) -> dict[str, int]:
    used: dict[str, int] = {}
    try:
        used["open files"] = len(access.proc_names(host_pid, "fd"))
        status = access.proc(host_pid, "status").decode(errors="replace")
    except PydError:
        return used
    fields = {"VmStk": "stack size", "VmLck": "locked memory", "VmSize": "address space", "VmRSS": "resident set"}
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key in fields and value.split()[:1]:
            used[fields[key]] = int(value.split()[0]) * 1024
    return used
