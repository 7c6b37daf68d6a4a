"""Redirection of 127.0.0.11 in a container to the name server of its network, which listens at the gateway.

Docker Engine has its own server there, and programs are configured with that address. The rules are in the kernel, in
the container's own network namespace, so names resolve while no engine runs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from pyd_core.daemon.networks import firewall
from pyd_core.linux import netns

ADDRESS = "127.0.0.11"
TABLE = "pyd-names"


async def redirect_dns(namespace: Path, server: str) -> None:
    """Redirect DNS queries to a server, or remove the redirection if it is empty.

    Raises:
        EngineError: The kernel refuses.
    """
    if server:
        await firewall.apply(plan(server), namespace=namespace)  # before anything is let in
    await asyncio.to_thread(netns.run_inside, namespace, lambda: _route_loopback(on=bool(server)))
    if not server:
        await firewall.apply(plan(server), namespace=namespace)


def plan(server: str) -> str:
    """Return the table for `nft -f`."""
    head = f"table ip {TABLE}\ndelete table ip {TABLE}\n"
    if not server:
        return head
    masquerade = f"ip saddr 127.0.0.0/8 ip daddr {server} masquerade"
    redirect = f"ip daddr {ADDRESS} meta l4proto {{ tcp, udp }} th dport 53 dnat to {server}:53"
    foreign = [f'iifname != "lo" ip {side} 127.0.0.0/8 drop' for side in ("saddr", "daddr")]
    chains = [
        firewall.chain("output", firewall.NAT_OUTPUT, [redirect]),
        firewall.chain("postrouting", "nat hook postrouting priority srcnat", [masquerade]),
        firewall.chain("guard", "filter hook prerouting priority raw", foreign),
    ]
    return f"{head}table ip {TABLE} {{\n{''.join(chains)}}}\n"


def _route_loopback(*, on: bool) -> None:
    """Let the kernel route packets from loopback addresses. It then also accepts them from outside, hence `guard`."""
    Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1" if on else "0")
