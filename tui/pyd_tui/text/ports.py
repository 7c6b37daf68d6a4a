"""A container's ports on one line."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.model.container import Port

_ANYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - read from an engine, nothing listens here


def ports(bindings: Iterable[Port]) -> str:
    """Return published ports as `8080->80`, then the only exposed ones; adjacent ones are joined as `8000-8009->80-89`.

    The host address is shown unless it is the wildcard, the protocol unless it is TCP. The same port on IPv4 and IPv6
    is shown once.
    """
    unique = {
        ("" if port.ip in _ANYWHERE else port.ip, port.type, port.public_port or 0, port.private_port)
        for port in bindings
    }
    published = sorted(port for port in unique if port[2])
    known = {(kind, private) for _, kind, _, private in published}
    exposed = sorted(port for port in unique if not port[2] and (port[1], port[3]) not in known)
    return ", ".join(_run(run) for run in (*_runs(published), *_runs(exposed)))


Key = tuple[str, str, int, int]


def _runs(sorted_ports: Iterable[Key]) -> list[tuple[Key, Key]]:
    """Join ports that are consecutive on both sides to (first, last)."""
    runs: list[tuple[Key, Key]] = []
    for port in sorted_ports:
        if runs:
            first, last = runs[-1]
            step = 1 if port[2] else 0
            if port == (last[0], last[1], last[2] + step, last[3] + 1):
                runs[-1] = (first, port)
                continue
        runs.append((port, port))
    return runs


def _run(run: tuple[Key, Key]) -> str:
    (ip, kind, public, private), (_, _, last_public, last_private) = run
    suffix = "" if kind == "tcp" else f"/{kind}"
    inside = _span(private, last_private) + suffix
    if not public:
        return inside
    host = f"[{ip}]:" if ":" in ip else f"{ip}:" if ip else ""
    return f"{host}{_span(public, last_public)}->{inside}"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
