"""Packet rules: address translation, published ports and isolation, in one nftables table a family.

They are planned only from the records, so writing them again after a crash corrects them: see nft(8). Other programs'
tables are left alone, with one exception. Where Docker Engine or a firewall drops forwarded packets, a drop there is
final, so each bridge gets two accept rules in the chain meant for that (`DOCKER-USER`, else `FORWARD`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import EngineError, Unsupported

ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared only
"""Values that mean every address."""

NAT_OUTPUT = "nat hook output priority -100"
"""The priority of `dstnat` as a number: nft before 1.0.7, as in Debian 12, knows that name only in `prerouting`."""


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """Settings of a bridge for the rules."""

    interface: str
    subnet: str
    subnet6: str = ""
    internal: bool = False
    masquerade: bool = True
    between: bool = True
    """Whether containers on it can reach each other."""
    name_servers: tuple[str, ...] = ()
    """Addresses of the host at which a name server answers only this network's containers."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Published port."""

    protocol: str
    host_address: str
    """One of `ANY`, or an address of the host."""
    host_port: int
    address: str
    port: int


def plan(table: str, bridges: Sequence[Bridge], ports: Sequence[Published], *, six: bool) -> str:
    """Return both complete tables, IPv4's and IPv6's, for `nft -f`.

    Args:
        table: Their name.
        bridges: All bridges that are up.
        ports: All published ports.
        has_ipv6: Whether the kernel supports IPv6.
    """
    found = _table("ip", table, bridges, ports)
    return found + _table("ip6", table, [each for each in bridges if each.subnet6], ports) if six else found


def _table(family: str, table: str, bridges: Sequence[Bridge], ports: Sequence[Published]) -> str:
    head = f"table {family} {table}\ndelete table {family} {table}\n"
    if not bridges:
        return head
    four = family == "ip"
    names = ", ".join(f'"{each.interface}"' for each in bridges)
    published = [_forwarded(each) for each in ports if (":" not in each.address) == four]
    after: list[str] = []
    forward: list[str] = []
    for each in bridges:
        own = f'"{each.interface}"'
        subnet = each.subnet if four else each.subnet6
        if each.masquerade and not each.internal:
            after.append(f"{family} saddr {subnet} oifname != {own} masquerade")
        if four:
            after.append(f"ip saddr 127.0.0.0/8 oifname {own} masquerade")
        after.append(f"{family} saddr {subnet} {family} daddr {subnet} ct status dnat masquerade")
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
        chain("published", "", published),
        chain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump published"]),
        chain("output", NAT_OUTPUT, ["fib daddr type local jump published"]),
        chain("postrouting", "nat hook postrouting priority srcnat", after),
        chain("forward", "filter hook forward priority filter", forward),
    ]
    guard = _guard(family, names, bridges, ports)
    if guard:
        chains.insert(0, chain("guard", "filter hook prerouting priority raw", guard))
    return f"{head}table {family} {table} {{\n{''.join(chains)}}}\n"


def _guard(family: str, names: str, bridges: Sequence[Bridge], ports: Sequence[Published]) -> list[str]:
    """Return rules that drop what must not be routed: see `route_localnet` in ip-sysctl.rst, which bridges enable.

    A published port's translation comes before the kernel drops packets for loopback addresses, so external packets to
    a port of 127.0.0.1 are dropped here. For ::1 the kernel does all this before any rule.
    """
    drops: list[str] = []
    if family == "ip":
        drops += [f"iifname {{ {names} }} ip {side} 127.0.0.0/8 drop" for side in ("saddr", "daddr")]
        drops += [
            f'iifname != "lo" ip daddr {each.host_address} {each.protocol} dport {each.host_port} drop'
            for each in ports
            if each.host_address.startswith("127.")
        ]
    for each in bridges:
        for address in each.name_servers:
            if (":" in address) == (family == "ip6"):
                to_server = f"{family} daddr {address} meta l4proto {{ tcp, udp }} th dport 53"
                drops.append(f'iifname != "{each.interface}" {to_server} drop')
    return drops


def chain(name: str, hook: str, rules: Sequence[str]) -> str:
    """Return a chain; without a hook, it is only jumped to."""
    lines = [f"type {hook}; policy accept;"] if hook else []
    body = "".join(f"    {line}\n" for line in [*lines, *rules])
    return f"  chain {name} {{\n{body}  }}\n"


def _forwarded(each: Published) -> str:
    family, target = ("ip6", f"[{each.address}]") if ":" in each.address else ("ip", each.address)
    where = "" if each.host_address in ANY else f"{family} daddr {each.host_address} "
    return f"{where}{each.protocol} dport {each.host_port} dnat to {target}:{each.port}"


async def apply(text: str, *, within: Path | None = None) -> None:
    """Apply tables atomically.

    Args:
        text: Input for `nft -f`.
        namespace: The file that keeps their network namespace alive, if it isn't the host's.

    Raises:
        Unsupported: nft isn't installed.
        EngineError: The kernel refuses.
    """
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None:
        raise Unsupported("nft is missing", hint="apt-get install nftables", reference="no-nft")
    entered = [] if within is None else ["nsenter", f"--net={within}"]
    done = await subprocesses.run([*entered, nft, "-f", "-"], stdin=text.encode())
    if done.code != 0:
        raise EngineError(f"nft: {done.err.decode(errors='replace').strip()[:300]}")


async def let_through(interface: str, *, wanted: bool, named: bool) -> None:
    """Add or remove a bridge's accept rules where another program, such as ufw, drops packets it doesn't know.

    Args:
        interface: The bridge.
        allow: Whether to add them.
        dns: Whether the host answers DNS queries there, which reach it like those for any other program.
    """
    for name in ("iptables", "ip6tables"):
        program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if program is not None:
            await _let_through(program, interface, wanted=wanted)
            await _let_ask(program, interface, wanted=wanted and named)


async def _let_through(iptables: str, interface: str, *, wanted: bool) -> None:
    for chain in ("DOCKER-USER", "FORWARD"):
        listed = await subprocesses.run([iptables, "-w", "-S", chain])
        if listed.code == 0:
            break
    else:
        return
    text = listed.out.decode(errors="replace")
    drops = chain == "DOCKER-USER" or "-P FORWARD DROP" in text
    for side in ("-i", "-o"):
        there = f"{side} {interface} " in text
        if wanted and drops and not there:
            await subprocesses.run([iptables, "-w", "-I", chain, side, interface, "-j", "ACCEPT"])
        elif there and not wanted:
            await subprocesses.run([iptables, "-w", "-D", chain, side, interface, "-j", "ACCEPT"])


async def _let_ask(iptables: str, interface: str, *, wanted: bool) -> None:
    listed = await subprocesses.run([iptables, "-w", "-S", "INPUT"])
    text = listed.out.decode(errors="replace")
    for protocol in ("udp", "tcp"):
        rule = ["-i", interface, "-p", protocol, "-m", protocol, "--dport", "53", "-j", "ACCEPT"]
        there = f"-A INPUT {' '.join(rule)}" in text.splitlines()
        if wanted and not there and "-P INPUT DROP" in text:
            await subprocesses.run([iptables, "-w", "-I", "INPUT", *rule])
        elif there and not wanted:
            await subprocesses.run([iptables, "-w", "-D", "INPUT", *rule])
