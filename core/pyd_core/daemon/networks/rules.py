"""Packet rules: address translation, published ports and isolation, as one nftables table that is written whole.

The table is planned from the records alone, so writing it again after a crash makes it right: see nft(8). Other
programs' tables are left alone, but for one thing: where Docker Engine or a firewall drops what is forwarded, a drop
there is final, so each bridge gets two accept rules in the chain meant for that (`DOCKER-USER`, else `FORWARD`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyd_core.daemon.runtime import children
from pyd_core.errors import EngineError, Unsupported


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A bridge as the rules see it."""

    interface: str
    subnet: str
    internal: bool = False
    masquerade: bool = True
    between: bool = True
    """Whether containers on it may talk to each other."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published port."""

    protocol: str
    host_address: str
    """Empty or `0.0.0.0` is any."""
    host_port: int
    address: str
    port: int


def plan(table: str, bridges: Sequence[Bridge], ports: Iterable[Published]) -> str:
    """Writes the whole table for `nft -f`."""
    head = f"table ip {table}\ndelete table ip {table}\n"
    if not bridges:
        return head
    names = ", ".join(f'"{each.interface}"' for each in bridges)
    published = [_forwarded(each) for each in ports]
    after: list[str] = []
    forward: list[str] = []
    for each in bridges:
        own = f'"{each.interface}"'
        if each.masquerade and not each.internal:
            after.append(f"ip saddr {each.subnet} oifname != {own} masquerade")
        after.append(f"ip saddr 127.0.0.0/8 oifname {own} masquerade")
        after.append(f"ip saddr {each.subnet} ip daddr {each.subnet} ct status dnat masquerade")
        if each.internal:
            forward += [f"iifname {own} oifname != {own} drop", f"oifname {own} iifname != {own} drop"]
        forward.append(f"iifname {own} oifname {own} {'accept' if each.between else 'ct status dnat accept'}")
        if not each.between:
            forward.append(f"iifname {own} oifname {own} drop")
    forward += [
        f"oifname {{ {names} }} ct state established,related accept",
        f"oifname {{ {names} }} ct status dnat accept",
        f"oifname {{ {names} }} drop",
    ]
    chains = [
        _chain("guard", "filter hook prerouting priority raw", [f"iifname {{ {names} }} ip daddr 127.0.0.0/8 drop"]),
        _chain("published", "", published),
        _chain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump published"]),
        _chain("output", "nat hook output priority dstnat", ["fib daddr type local jump published"]),
        _chain("postrouting", "nat hook postrouting priority srcnat", after),
        _chain("forward", "filter hook forward priority filter", forward),
    ]
    return f"{head}table ip {table} {{\n{''.join(chains)}}}\n"


def _chain(name: str, hook: str, rules: Sequence[str]) -> str:
    lines = [f"type {hook}; policy accept;"] if hook else []
    body = "".join(f"    {line}\n" for line in [*lines, *rules])
    return f"  chain {name} {{\n{body}  }}\n"


def _forwarded(each: Published) -> str:
    where = "" if each.host_address in {"", "0.0.0.0"} else f"ip daddr {each.host_address} "  # noqa: S104 - compared
    return f"{where}{each.protocol} dport {each.host_port} dnat to {each.address}:{each.port}"


async def apply(text: str) -> None:
    """Writes the table, at once or not at all.

    Raises:
        Unsupported: nft isn't installed.
        EngineError: The kernel refuses.
    """
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None:
        raise Unsupported("nft is missing", hint="apt-get install nftables", reference="no-nft")
    done = await children.run([nft, "-f", "-"], stdin=text.encode())
    if done.code != 0:
        raise EngineError(f"nft: {done.err.decode(errors='replace').strip()[:300]}")


async def let_through(interface: str, *, wanted: bool) -> None:
    """Adds or removes the accept rules of a bridge where another program drops what is forwarded."""
    iptables = shutil.which("iptables") or shutil.which("iptables", path="/usr/sbin:/sbin")
    if iptables is None:
        return
    for chain in ("DOCKER-USER", "FORWARD"):
        listed = await children.run([iptables, "-w", "-S", chain])
        if listed.code == 0:
            break
    else:
        return
    text = listed.out.decode(errors="replace")
    drops = chain == "DOCKER-USER" or "-P FORWARD DROP" in text
    for side in ("-i", "-o"):
        there = f"{side} {interface} " in text
        if wanted and drops and not there:
            await children.run([iptables, "-w", "-I", chain, side, interface, "-j", "ACCEPT"])
        elif there and not wanted:
            await children.run([iptables, "-w", "-D", chain, side, interface, "-j", "ACCEPT"])
