"""Enumerated fields of a creation: namespaces to share, storage. Values, rules and messages are Docker Engine's.

See `validate` and `validateNetContainerMode` of its runconfig.
"""

from __future__ import annotations

import ipaddress

from pyd_core.errors import InvalidInput
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

_OTHERS = "container:"


def check(body: CreateBody) -> None:
    """Refuse unknown values, and options that conflict with another container's or the host's namespaces.

    Raises:
        InvalidInput: A word isn't known, or two choices don't go together.
    """
    host = body.host_config
    _one_of("IPC", host.ipc_mode, {"", "none", "private", "shareable", "host"}, others=True)
    _one_of("PID", host.pid_mode, {"", "host"}, others=True)
    _one_of("UTS", host.uts_mode, {"", "host"})
    if host.cgroupns_mode not in {"", "host", "private"}:
        raise InvalidInput(f"invalid cgroup namespace mode: {host.cgroupns_mode[:40]}")
    if host.isolation not in {"", "default"}:
        raise InvalidInput(f"Invalid isolation: \"{host.isolation[:40]}\" - linux only supports 'default'")
    if host.uts_mode == "host" and body.hostname:
        raise InvalidInput("conflicting options: hostname and the UTS mode")
    _check_network(body)
    _check_resolver(host)
    for option in host.storage_opt:
        if option != "size":
            raise InvalidInput(f"Unknown option {option[:40]}")
        raise InvalidInput(
            "--storage-opt size isn't served: the layers of this engine have no quota",
            hint="leave it out, or keep what grows in a volume of a file system of its own",
        )
    if "" in host.annotations:
        raise InvalidInput("invalid Annotations: the empty string is not permitted as an annotation key")
    for number in host.console_size or []:
        if not 0 <= number < 1 << 16:
            raise InvalidInput(f"invalid console size: {number} is not from 0 to 65535")


def _one_of(kind: str, mode: str, known: set[str], *, others: bool = False) -> None:
    if mode not in known and not (others and mode.startswith(_OTHERS) and mode != _OTHERS):
        raise InvalidInput(f"invalid {kind} mode: {mode[:80]}")


def _check_network(body: CreateBody) -> None:
    host = body.host_config
    if not host.network_mode.startswith(_OTHERS) and host.network_mode != "container":
        if host.network_mode == "host" and host.links:
            raise InvalidInput("conflicting options: host type networking can't be used with links")
        return
    if host.network_mode in {"container", _OTHERS}:
        raise InvalidInput("Invalid network mode: invalid container format container:<name|id>")
    for wrong, what in (
        (body.hostname, "hostname and the network mode"),
        (host.links, "container type network can't be used with links"),
        (host.dns, "dns and the network mode"),
        (host.extra_hosts, "custom host-to-IP mapping and the network mode"),
        (body.mac_address, "mac-address and the network mode"),
        (host.port_bindings or host.publish_all_ports, "port publishing and the container type network mode"),
        (body.exposed_ports, "port exposing and the container type network mode"),
    ):
        if wrong:
            raise InvalidInput(f"conflicting options: {what}")


def _check_resolver(host: HostConfig) -> None:
    for address in host.dns:
        if not _is_address(address):
            raise InvalidInput(f"bad nameserver address {address[:60]}: it is no IP address")
    for rule in host.extra_hosts:
        name, _, address = rule.partition(":")
        if not name or not address:
            raise InvalidInput(f"bad format for add-host: {rule[:80]!r}")
        if address != "host-gateway" and not _is_address(address.removeprefix("[").removesuffix("]")):
            raise InvalidInput(f"invalid IP address in add-host: {address[:80]!r}")
    for link in host.links:
        if link.count(":") > 1:
            raise InvalidInput(f"bad format for links: {link[:80]}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
