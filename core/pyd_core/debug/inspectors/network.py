"""The target's interfaces, routes and name servers, from the toolbox's `ip` and the target's own files."""

from __future__ import annotations

from typing import Any

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.dns import Resolver, read_resolver
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import PydError

IP = f"{PREFIX}/bin/ip"


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface."""

    name: str
    state: str
    """`UP`, `DOWN`, `UNKNOWN` as the kernel says; a loopback's is always unknown."""
    mac: str = ""
    mtu: int = 0
    addresses: tuple[str, ...] = ()
    """With the prefix's length: `172.17.0.2/16`."""
    received: int = 0
    """Bytes."""
    sent: int = 0
    dropped: int = 0
    """Packets, both ways."""
    errors: int = 0


class RouteEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A route."""

    destination: str
    """`default`, or a network."""
    via: str = ""
    interface: str = ""
    source: str = ""
    metric: int = 0


class NetworkSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    interfaces: tuple[Interface, ...]
    routes: tuple[RouteEntry, ...]
    resolver: Resolver


def read_network(access: Access) -> NetworkSummary:
    """Ask the kernel in the target's network namespace.

    Raises:
        PydError: The toolbox's `ip` can't be run there.
    """
    line = f"{IP} -j -s addr show; {IP} -j route show; {IP} -j -6 route show"
    done = access.run([f"{PREFIX}/bin/bash", "--noprofile", "--norc", "-c", line])
    parts = _documents(done.stdout)
    if not parts:
        raise PydError(f"ip said: {done.stderr.decode(errors='replace')[:200]}", reference="no-network")
    routes = tuple(route for part in parts[1:] for route in map(_route, part))
    return NetworkSummary(
        interfaces=tuple(map(_interface, parts[0])),
        routes=tuple(route for route in routes if not route.destination.startswith(("fe80:", "ff00:"))),
        resolver=read_resolver(access),
    )


def _documents(text: bytes) -> list[list[dict[str, Any]]]:
    """Read several JSON documents, one after the other; `ip` prints nothing for an empty table of old versions."""
    documents: list[list[dict[str, Any]]] = []
    for line in text.splitlines():
        try:
            documents.append(msgspec.json.decode(line, type=list[dict[str, Any]]))
        except msgspec.DecodeError:
            continue
    return documents


def _interface(data: dict[str, Any]) -> Interface:
    received, sent = (data.get("stats64", {}).get(way, {}) for way in ("rx", "tx"))
    return Interface(
        name=str(data.get("ifname", "")),
        state=str(data.get("operstate", "")),
        mac=str(data.get("address", "")) if data.get("link_type") != "loopback" else "",
        mtu=int(data.get("mtu", 0)),
        addresses=tuple(f"{address.get('local')}/{address.get('prefixlen')}" for address in data.get("addr_info", [])),
        received=int(received.get("bytes", 0)),
        sent=int(sent.get("bytes", 0)),
        dropped=int(received.get("dropped", 0)) + int(sent.get("dropped", 0)),
        errors=int(received.get("errors", 0)) + int(sent.get("errors", 0)),
    )


def _route(data: dict[str, Any]) -> RouteEntry:
    return RouteEntry(
        destination=str(data.get("dst", "")),
        via=str(data.get("gateway", "")),
        interface=str(data.get("dev", "")),
        source=str(data.get("prefsrc", "")),
        metric=int(data.get("metric", 0)),
    )
