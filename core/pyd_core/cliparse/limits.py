"""Processors, resource limits and restart policies."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from pyd_core.cliparse.fields import parse_int
from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import RestartPolicy
from pyd_core.model.resources import Ulimit
from pyd_core.sanitise import safe

ULIMITS = (
    *("as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc"),
    *("rss", "rtprio", "rttime", "sigpending", "stack"),
)
"""Names of setrlimit(2)."""


def parse_cpus(text: str) -> int:
    """Return billionths of a processor for text such as `1.5`.

    Raises:
        InvalidInput: It is not a number, or finer than a billionth.
    """
    try:
        nano_cpus = Decimal(text) * 1_000_000_000
    except InvalidOperation:
        nano_cpus = Decimal("0.1")
    if not nano_cpus.is_finite() or nano_cpus != nano_cpus.to_integral_value() or nano_cpus < 0:
        raise InvalidInput(f"not a number of processors: {safe(text)!r}", hint="write it as 1.5")
    return int(nano_cpus)


def parse_ulimits(texts: Iterable[str]) -> list[Ulimit]:
    """Read limits such as `nofile=1024:2048`, soft and hard. The hard limit defaults to the soft one; -1 is unlimited.

    Raises:
        InvalidInput: A value can't be read.
    """
    ulimits: dict[str, Ulimit] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in ULIMITS:
            raise InvalidInput(f"invalid ulimit: {safe(text)!r}", hint="write NAME=SOFT[:HARD], such as nofile=1024")
        first, colon, second = value.partition(":")
        soft = parse_int(first, name, minimum=-1)
        hard = parse_int(second, name, minimum=-1) if colon else soft
        if hard != -1 and (soft > hard or soft == -1):
            raise InvalidInput(f"ulimit {name}: the soft limit must not be above the hard one: {soft} > {hard}")
        ulimits[name] = Ulimit(name=name, soft=soft, hard=hard)
    return [ulimits[name] for name in sorted(ulimits)]


def parse_restart(text: str) -> RestartPolicy:
    """Read `no` (also an empty text), `always`, `unless-stopped`, `on-failure` or `on-failure:3`.

    Raises:
        InvalidInput: It is none of these.
    """
    name, colon, count = text.partition(":")
    if text and name not in {"no", "always", "unless-stopped", "on-failure"}:
        hint = "choose no, always, unless-stopped or on-failure[:N]"
        raise InvalidInput(f"no such restart policy: {safe(text)}", hint=hint)
    if colon and not count:
        raise InvalidInput(f"invalid restart policy: {safe(text)}", hint="write on-failure:3")
    return RestartPolicy(name=name or "no", maximum_retry_count=parse_int(count, "restart", minimum=0) if colon else 0)
