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
    allows_icc: bool = True
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


def plan(table: str, bridges: Sequence[Bridge], ports: Sequence[Published], *, has_ipv6: bool) -> str:
    """Return both complete tables, IPv4's and IPv6's, for `nft -f`.

    Args:
        table: Their name.
        bridges: All bridges that are up.
        ports: All published ports.
        has_ipv6: Whether the kernel supports IPv6.
    """
    tables = _table("ip", table, bridges, ports)
    return (
        tables + _table("ip6", table, [bridge for bridge in bridges if bridge.subnet6], ports) if has_ipv6 else tables
    )


def _table(family: str, table: str, bridges: Sequence[Bridge], ports: Sequence[Published]) -> str:
    head = f"table {family} {table}\ndelete table {family} {table}\n"
    if not bridges:
        return head
    is_ipv4 = family == "ip"
    names = ", ".join(f'"{bridge.interface}"' for bridge in bridges)
    published = [_dnat_rule(bridge) for bridge in ports if (":" not in bridge.address) == is_ipv4]
    postrouting: list[str] = []
    forward: list[str] = []
    for bridge in bridges:
        interface = f'"{bridge.interface}"'
        subnet = bridge.subnet if is_ipv4 else bridge.subnet6
        if bridge.masquerade and not bridge.internal:
            postrouting.append(f"{family} saddr {subnet} oifname != {interface} masquerade")
        if is_ipv4:
            postrouting.append(f"ip saddr 127.0.0.0/8 oifname {interface} masquerade")
        postrouting.append(f"{family} saddr {subnet} {family} daddr {subnet} ct status dnat masquerade")
        if bridge.internal:
            forward += [
                f"iifname {interface} oifname != {interface} drop",
                f"oifname {interface} iifname != {interface} drop",
            ]
        forward.append(
            f"iifname {interface} oifname {interface} {'accept' if bridge.allows_icc else 'ct status dnat accept'}"
        )
        if not bridge.allows_icc:
            forward.append(f"iifname {interface} oifname {interface} drop")
    forward += [
        f"oifname {{ {names} }} ct state established,related accept",
        f"oifname {{ {names} }} ct status dnat accept",
        f"oifname {{ {names} }} drop",
    ]
    chains = [
        chain("published", "", published),
        chain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump published"]),
        chain("output", NAT_OUTPUT, ["fib daddr type local jump published"]),
        chain("postrouting", "nat hook postrouting priority srcnat", postrouting),
        chain("forward", "filter hook forward priority filter", forward),
    ]
    guard = _guard_rules(family, names, bridges, ports)
    if guard:
        chains.insert(0, chain("guard", "filter hook prerouting priority raw", guard))
    return f"{head}table {family} {table} {{\n{''.join(chains)}}}\n"


def _guard_rules(family: str, names: str, bridges: Sequence[Bridge], ports: Sequence[Published]) -> list[str]:
    """Return rules that drop what must not be routed: see `route_localnet` in ip-sysctl.rst, which bridges enable.

    A published port's translation comes before the kernel drops packets for loopback addresses, so external packets to
    a port of 127.0.0.1 are dropped here. For ::1 the kernel does all this before any rule.
    """
    drops: list[str] = []
    if family == "ip":
        drops += [f"iifname {{ {names} }} ip {side} 127.0.0.0/8 drop" for side in ("saddr", "daddr")]
        drops += [
            f'iifname != "lo" ip daddr {port.host_address} {port.protocol} dport {port.host_port} drop'
            for port in ports
            if port.host_address.startswith("127.")
        ]
    for port in bridges:
        for address in port.name_servers:
            if (":" in address) == (family == "ip6"):
                to_server = f"{family} daddr {address} meta l4proto {{ tcp, udp }} th dport 53"
                drops.append(f'iifname != "{port.interface}" {to_server} drop')
    return drops


def chain(name: str, hook: str, rules: Sequence[str]) -> str:
    """Return a chain; without a hook, it is only jumped to."""
    lines = [f"type {hook}; policy accept;"] if hook else []
    body = "".join(f"    {line}\n" for line in [*lines, *rules])
    return f"  chain {name} {{\n{body}  }}\n"


def _dnat_rule(port: Published) -> str:
    family, target = ("ip6", f"[{port.address}]") if ":" in port.address else ("ip", port.address)
    condition = "" if port.host_address in ANY else f"{family} daddr {port.host_address} "
    return f"{condition}{port.protocol} dport {port.host_port} dnat to {target}:{port.port}"


async def apply(text: str, *, namespace: Path | None = None) -> None:
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
    prefix = [] if namespace is None else ["nsenter", f"--net={namespace}"]
    result = await subprocesses.run([*prefix, nft, "-f", "-"], stdin=text.encode())
    if result.code != 0:
        raise EngineError(f"nft: {result.err.decode(errors='replace').strip()[:300]}")


async def set_accept_rules(interface: str, *, allow: bool, dns: bool) -> None:
    """Add or remove a bridge's accept rules where another program, such as ufw, drops packets it doesn't know.

    Args:
        interface: The bridge.
        allow: Whether to add them.
        dns: Whether the host answers DNS queries there, which reach it like those for any other program.
    """
    for name in ("iptables", "ip6tables"):
        program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if program is not None:
            await _set_forward_rules(program, interface, allow=allow)
            await _set_dns_rules(program, interface, allow=allow and dns)


async def _set_forward_rules(iptables: str, interface: str, *, allow: bool) -> None:
    for chain in ("DOCKER-USER", "FORWARD"):
        listing = await subprocesses.run([iptables, "-w", "-S", chain])
        if listing.code == 0:
            break
    else:
        return
    text = listing.out.decode(errors="replace")
    drops = chain == "DOCKER-USER" or "-P FORWARD DROP" in text
    for side in ("-i", "-o"):
        exists = f"{side} {interface} " in text
        if allow and drops and not exists:
            await subprocesses.run([iptables, "-w", "-I", chain, side, interface, "-j", "ACCEPT"])
        elif exists and not allow:
            await subprocesses.run([iptables, "-w", "-D", chain, side, interface, "-j", "ACCEPT"])


async def _set_dns_rules(iptables: str, interface: str, *, allow: bool) -> None:
    listing = await subprocesses.run([iptables, "-w", "-S", "INPUT"])
    text = listing.out.decode(errors="replace")
    for protocol in ("udp", "tcp"):
        rule = ["-i", interface, "-p", protocol, "-m", protocol, "--dport", "53", "-j", "ACCEPT"]
        exists = f"-A INPUT {' '.join(rule)}" in text.splitlines()
        if allow and not exists and "-P INPUT DROP" in text:
            await subprocesses.run([iptables, "-w", "-I", "INPUT", *rule])
        elif exists and not allow:
            await subprocesses.run([iptables, "-w", "-D", "INPUT", *rule])
