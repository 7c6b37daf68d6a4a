"""Bridges and virtual links by netlink: see ip-link(8). Every call blocks for about a millisecond."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from pyd_core.errors import KernelError
from pyd_core.linux import netns

_IFA_F_NODAD = 0x02
_MAX_BROADCAST_PREFIX = 30
_MODES: dict[str, dict[str, str | int]] = {
    "macvlan": {"": "bridge", "bridge": "bridge", "private": "private", "vepa": "vepa", "passthru": "passthru"},
    "ipvlan": {"": 0, "l2": 0, "l3": 1, "l3s": 2},
}
"""pyroute2 knows the modes of macvlan by name, those of ipvlan by their number in linux/if_link.h alone."""


@dataclass(frozen=True, kw_only=True)
class InterfaceSpec:
    """An interface inside a namespace and what it hangs on outside."""

    host: str
    """Name of the other end of a veth, on the host's side."""
    name: str
    """Name inside."""
    on: str
    """The bridge, or the parent of a macvlan or ipvlan interface."""
    addresses: Sequence[tuple[str, int]]
    """With the lengths of their prefixes; IPv4 and IPv6."""
    hardware: str
    """Empty leaves it to the kernel."""
    gateways: Sequence[str]
    """Of the default routes; none adds none."""
    kind: str = "veth"
    """`veth`, `macvlan` or `ipvlan`."""
    mtu: int = 0
    """Bytes; 0 leaves it to the kernel."""
    mode: str = ""
    """Of a macvlan or ipvlan interface; empty is `bridge` and `l2`."""


def _index(ip: Any, name: str) -> int:
    indexes = ip.link_lookup(ifname=name)
    return int(indexes[0]) if indexes else 0


def _kernel_error(error: NetlinkError, subject: str) -> KernelError:
    return KernelError("netlink", int(error.code or errno.EIO), subject)


def routed_networks() -> list[IPv4Network]:
    """Return the IPv4 networks this host has a route to, but for the default."""
    networks: list[IPv4Network] = []
    with IPRoute() as ip:
        for route in ip.get_routes(family=2):
            target = route.get_attr("RTA_DST")
            if target and route["dst_len"]:
                with contextlib.suppress(ValueError):
                    networks.append(IPv4Network(f"{target}/{route['dst_len']}", strict=False))
    return networks


def ensure_bridge(name: str, addresses: Sequence[tuple[str, int]]) -> None:
    """Make a bridge with these addresses and prefix lengths, or ready the one that is there.

    Raises:
        KernelError: The kernel refuses.
    """
    with IPRoute() as ip:
        try:
            index = _index(ip, name)
            if not index:
                ip.link("add", ifname=name, kind="bridge")
                index = _index(ip, name)
            for address, prefix in addresses:
                with contextlib.suppress(NetlinkError):  # it has the address already
                    _address(ip, index, address, prefix)
            ip.link("set", index=index, state="up")
        except NetlinkError as error:
            raise _kernel_error(error, f"bridge {name}") from error
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Path(f"/proc/sys/net/ipv4/conf/{name}/route_localnet").write_text("1")
    if any(":" in address for address, _ in addresses):
        Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")


def _address(ip: Any, index: int, address: str, prefix: int) -> None:
    if ":" in address:
        # At once: who asks for an address of a subnet that is the engine's alone has no duplicate to wait for.
        ip.addr("add", index=index, address=address, prefixlen=prefix, family=socket.AF_INET6, flags=_IFA_F_NODAD)
    else:
        ip.addr("add", index=index, address=address, prefixlen=prefix, broadcast=_broadcast(address, prefix))


def _broadcast(address: str, prefix: int) -> str | None:
    """The last address of its subnet; a subnet of two has none (RFC 3021)."""
    return (
        str(IPv4Network((address, prefix), strict=False).broadcast_address) if prefix <= _MAX_BROADCAST_PREFIX else None
    )


def ensure_parent(name: str, *, vlan: str = "") -> bool:
    """Make sure that what macvlan and ipvlan interfaces hang on is there and up; return whether it was made.

    Args:
        name: Of the interface; where it is missing, a dummy is made.
        vlan: `LINK.NUMBER` has a VLAN made where that one is missing; any other text must name what is there.

    Raises:
        KernelError: The kernel refuses, or it is missing.
    """
    link, _, number = vlan.rpartition(".")
    created = False
    with IPRoute() as ip:
        try:
            if not _index(ip, name):
                parent = _index(ip, link)
                if vlan and not (parent and number.isdecimal()):
                    raise KernelError("netlink", errno.ENODEV, f"parent interface {name}")
                if vlan:
                    ip.link("add", ifname=name, kind="vlan", link=parent, vlan_id=int(number))
                else:
                    ip.link("add", ifname=name, kind="dummy")
                created = True
            ip.link("set", index=_index(ip, name), state="up")
        except NetlinkError as error:
            raise _kernel_error(error, f"parent interface {name}") from error
    return created


def remove(name: str) -> None:
    """Remove an interface, if there."""
    with IPRoute() as ip:
        index = _index(ip, name)
        if index:
            with contextlib.suppress(NetlinkError):
                ip.link("del", index=index)


def attach_interface(path: Path | str, spec: InterfaceSpec) -> None:
    """Give a namespace an interface.

    Raises:
        KernelError: The kernel refuses.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with IPRoute() as ip:
            parent = _index(ip, spec.on)
            inside: dict[str, Any] = {"ifname": spec.name, "net_ns_fd": fd}
            if spec.hardware:
                inside["address"] = spec.hardware
            if spec.kind == "veth":
                ip.link("add", ifname=spec.host, kind="veth", peer=inside)
                host = _index(ip, spec.host)
                ip.link("set", index=host, master=parent, state="up", **({"mtu": spec.mtu} if spec.mtu else {}))
                ip.brport("set", index=host, mode=1)  # hairpin: a container reaches itself by its published ports
            else:
                inside[f"{spec.kind}_mode"] = _mode(spec)
                ip.link("add", kind=spec.kind, link=parent, **inside)
        netns.run_inside(path, lambda: _configure(spec))
    except NetlinkError as error:
        remove(spec.host)
        raise _kernel_error(error, f"{spec.kind} interface on {spec.on}") from error
    finally:
        os.close(fd)


def _mode(spec: InterfaceSpec) -> str | int:
    modes = _MODES[spec.kind]
    if spec.mode not in modes:
        raise KernelError("netlink", errno.EINVAL, f"{spec.kind} mode {spec.mode[:40]!r}")
    return modes[spec.mode]


def _configure(spec: InterfaceSpec) -> None:
    with IPRoute() as ip:
        ip.link("set", index=_index(ip, "lo"), state="up")
        index = _index(ip, spec.name)
        if not any(":" in address for address, _ in spec.addresses):
            # Else the kernel gives it one that no rule of its network knows of.
            with contextlib.suppress(FileNotFoundError):  # the kernel has no IPv6
                Path(f"/proc/sys/net/ipv6/conf/{spec.name}/disable_ipv6").write_text("1")
        for address, prefix in spec.addresses:
            _address(ip, index, address, prefix)
        ip.link("set", index=index, state="up", **({"mtu": spec.mtu} if spec.mtu else {}))
        for gateway in spec.gateways:
            ip.route("add", dst="default", gateway=gateway, family=_family(gateway))


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def free_name(path: Path | str, prefix: str) -> str:
    """Return the first name of that prefix and a number that no interface inside a namespace has."""

    def work() -> str:
        taken = {name for _, name in socket.if_nameindex()}
        return next(name for number in itertools.count() if (name := f"{prefix}{number}") not in taken)

    return netns.run_inside(path, work)


def set_default(path: Path | str, gateways: Sequence[str]) -> None:
    """Set the default routes inside a namespace."""

    def work() -> None:
        with IPRoute() as ip:
            for gateway in gateways:
                ip.route("replace", dst="default", gateway=gateway, family=_family(gateway))

    netns.run_inside(path, work)


def detach_interface(path: Path | str, address: str) -> None:
    """Remove the interface inside a namespace that has an address."""

    def work() -> None:
        with IPRoute() as ip:
            for entry in ip.get_addr(address=address):
                ip.link("del", index=entry["index"])

    netns.run_inside(path, work)
