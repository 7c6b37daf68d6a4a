"""Memory mappings of a process of the target (proc_pid_smaps(5))."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pyd_core.debug.access import Access

MAX_SMAPS_BYTES = 32 << 20
_COUNTED = {"Size:": "size", "Rss:": "rss", "Pss:": "pss", "Private_Dirty:": "dirty", "Swap:": "swap"}


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """All mappings of one file, or of one kind of memory without a file; sizes in bytes."""

    name: str
    """A path, `[heap]`, `[stack]` and so on; `[anonymous]` for what has no name."""
    permissions: str
    """`r`, `w` and `x` as far as any of them has it."""
    count: int = 1
    size: int = 0
    """Of address space."""
    rss: int = 0
    """In memory now."""
    pss: int = 0
    """In memory, shared pages counted by their share."""
    dirty: int = 0
    """Changed and private: the bytes that the end of the process would free."""
    swap: int = 0


def list_mappings(access: Access, host_pid: int) -> list[Mapping]:
    """Return a process's mappings by name, the largest in memory first."""
    text = access.proc(host_pid, "smaps", limit=MAX_SMAPS_BYTES)
    return parse_mappings(text.decode(errors="replace").splitlines())


def parse_mappings(lines: Iterable[str]) -> list[Mapping]:
    """Read the lines of a `smaps`."""
    names: dict[str, dict[str, int]] = {}
    permissions: dict[str, set[str]] = {}
    name = ""
    for line in lines:
        words = line.split(None, 5)
        if not words:
            continue
        field = _COUNTED.get(words[0])
        if field is not None and len(words) > 1 and words[1].isdigit():
            names[name][field] += int(words[1]) * 1024
        elif "-" in words[0] and len(words) >= 5:
            name = words[5].strip() if len(words) > 5 else "[anonymous]"
            names.setdefault(name, dict.fromkeys((*_COUNTED.values(), "count"), 0))["count"] += 1
            permissions.setdefault(name, set()).update(words[1][:3].replace("-", ""))
    mappings = [
        Mapping(name=name, permissions="".join(letter for letter in "rwx" if letter in permissions[name]), **numbers)
        for name, numbers in names.items()
    ]
    return sorted(mappings, key=lambda mapping: (-mapping.rss, mapping.name))
