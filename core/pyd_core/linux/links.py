"""Bridges and virtual links by netlink: see ip-link(8). Every call blocks for about a millisecond."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pyd_core.errors import KernelError
from pyd_core.linux import netns


@dataclass(frozen=True, kw_only=True)
class Plug:
    """One end of a link inside a namespace, the other on a bridge."""

    host: str
    """Name on the host's side."""
    name: str
    """Name inside."""
    bridge: str
    address: str
    prefix: int
    hardware: str
    gateway: str
    """Of the default route; empty adds none."""
    hairpin: bool = True


def _index(ip: Any, name: str) -> int:
    found = ip.link_lookup(ifname=name)
    return int(found[0]) if found else 0


def _failed(error: NetlinkError, subject: str) -> KernelError:
    return KernelError("netlink", int(error.code or errno.EIO), subject)


def names(prefix: str) -> list[str]:
    """Returns the interfaces whose name begins so."""
    with IPRoute() as ip:
        found = [str(link.get_attr("IFLA_IFNAME")) for link in ip.get_links()]
    return [name for name in found if name.startswith(prefix)]


def subnets() -> list[IPv4Network]:
    """Returns the IPv4 networks this host has a route to, but for the default."""
    found: list[IPv4Network] = []
    with IPRoute() as ip:
        for route in ip.get_routes(family=2):
            target = route.get_attr("RTA_DST")
            if target and route["dst_len"]:
                with contextlib.suppress(ValueError):
                    found.append(IPv4Network(f"{target}/{route['dst_len']}", strict=False))
    return found


def make_bridge(name: str, gateway: str, prefix: int) -> None:
    """Makes a bridge with an address, or readies the one that is there.

    Raises:
        KernelError: The kernel refuses.
    """
    with IPRoute() as ip:
        try:
            index = _index(ip, name)
            if not index:
                ip.link("add", ifname=name, kind="bridge")
                index = _index(ip, name)
            with contextlib.suppress(NetlinkError):  # it has the address already
                ip.addr("add", index=index, address=gateway, prefixlen=prefix)
            ip.link("set", index=index, state="up")
        except NetlinkError as error:
            raise _failed(error, f"bridge {name}") from error
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Path(f"/proc/sys/net/ipv4/conf/{name}/route_localnet").write_text("1")


def remove(name: str) -> None:
    """Removes an interface, if there."""
    with IPRoute() as ip:
        index = _index(ip, name)
        if index:
            with contextlib.suppress(NetlinkError):
                ip.link("del", index=index)


def plug(path: Path | str, wanted: Plug) -> None:
    """Links a namespace to a bridge.

    Raises:
        KernelError: The kernel refuses.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with IPRoute() as ip:
            bridge = _index(ip, wanted.bridge)
            peer = {"ifname": wanted.name, "net_ns_fd": fd, "address": wanted.hardware}
            ip.link("add", ifname=wanted.host, kind="veth", peer=peer)
            host = _index(ip, wanted.host)
            ip.link("set", index=host, master=bridge, state="up")
            if wanted.hairpin:  # a container reaches its own published port; /sys may be another network's
                ip.brport("set", index=host, mode=1)
        netns.inside(path, lambda: _configure(wanted))
    except NetlinkError as error:
        remove(wanted.host)
        raise _failed(error, f"link {wanted.host}") from error
    finally:
        os.close(fd)


def _configure(wanted: Plug) -> None:
    with IPRoute() as ip:
        ip.link("set", index=_index(ip, "lo"), state="up")
        index = _index(ip, wanted.name)
        ip.addr("add", index=index, address=wanted.address, prefixlen=wanted.prefix)
        ip.link("set", index=index, state="up")
        if wanted.gateway:
            ip.route("add", dst="default", gateway=wanted.gateway)


def set_default(path: Path | str, gateway: str) -> None:
    """Sets the default route inside a namespace."""

    def work() -> None:
        with IPRoute() as ip:
            ip.route("replace", dst="default", gateway=gateway)

    netns.inside(path, work)


def unplug(path: Path | str, name: str) -> None:
    """Removes an interface inside a namespace, and with it the other end."""
    netns.inside(path, lambda: remove(name))
