"""Networks to connect to: `--network NAME`, or fields: `name=NAME,alias=web,ip=10.0.0.5,driver-opt=a=b`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pyd_core.cliparse.fields import split_fields
from pyd_core.errors import InvalidInput
from pyd_core.model.network import EndpointIpam, EndpointSettings
from pyd_core.sanitise import safe

PREDEFINED_NETWORKS = frozenset({"default", "bridge", "host", "none", "nat"})
"""Networks that engines provide, on which containers have no aliases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstNetwork:
    """Settings of the first network that are given as separate options."""

    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ip: str = ""
    ip6: str = ""
    link_local: tuple[str, ...] = ()
    mac: str = ""


def parse_networks(texts: Sequence[str], first: FirstNetwork) -> tuple[str, dict[str, EndpointSettings | None]]:
    """Return the network mode, and the endpoint settings by name of network.

    Raises:
        InvalidInput: A value can't be read, or they conflict.
    """
    parsed = [_parse_network(text) for text in texts] or [("default", EndpointSettings())]
    names = [name for name, _ in parsed]
    if len(names) > 1 and any(not _is_user_defined(name) for name in names):
        raise InvalidInput("user-defined networks can't be combined with fixed ones such as host or none")
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InvalidInput(f"network {safe(min(repeated))} is given more than once")
    name, settings = parsed[0]
    parsed[0] = (name, _with_options(name, settings, first))
    endpoints: dict[str, EndpointSettings | None] = {
        name: settings
        for name, settings in parsed
        if not name.startswith("container:")
        and not (texts and name in PREDEFINED_NETWORKS and settings == EndpointSettings())
    }
    return names[0], endpoints


def _is_user_defined(name: str) -> bool:
    return name not in PREDEFINED_NETWORKS and not name.startswith("container:")


def _parse_network(text: str) -> tuple[str, EndpointSettings]:
    if "=" not in text:
        return text, EndpointSettings()
    name, fields, addresses = "", dict[str, Any](), dict[str, Any]()
    for field in split_fields(text):
        key, equals, value = field.partition("=")
        key, value = key.strip().lower(), value.strip()
        if not equals:
            raise InvalidInput(f"invalid field {safe(field)!r} in {safe(text)!r}", hint="write NAME=VALUE")
        match key:
            case "name":
                name = value
            case "alias":
                fields.setdefault("aliases", []).append(value)
            case "driver-opt":
                option, _, setting = value.partition("=")
                fields.setdefault("driver_opts", {})[option.strip().lower()] = setting.strip()
            case "ip":
                addresses["ipv4_address"] = value
            case "ip6":
                addresses["ipv6_address"] = value
            case "link-local-ip":
                addresses.setdefault("link_local_ips", []).append(value)
            case "mac-address":
                fields["mac_address"] = value
            case _:
                raise InvalidInput(f"invalid field key {safe(key)} in {safe(text)!r}")
    if not name:
        raise InvalidInput(f"no network is named in {safe(text)!r}", hint="add name=NETWORK")
    ipam = EndpointIpam(**addresses) if addresses else None
    return name, EndpointSettings(**fields, ipam_config=ipam)


def _with_options(name: str, settings: EndpointSettings, first: FirstNetwork) -> EndpointSettings:
    addresses = settings.ipam_config or EndpointIpam()
    conflicts = [
        option
        for option, by_field, by_option in (
            ("alias", settings.aliases, first.aliases),
            ("ip", addresses.ipv4_address, first.ip),
            ("ip6", addresses.ipv6_address, first.ip6),
            ("mac-address", settings.mac_address, first.mac),
        )
        if by_field and by_option
    ]
    if conflicts:
        raise InvalidInput(f"{conflicts[0]} is given both for network {safe(name)} and as a separate option")
    if first.aliases and not _is_user_defined(name):
        raise InvalidInput("network-scoped aliases need a user-defined network", hint="pyd network create")
    if first.ip or first.ip6 or first.link_local:
        addresses = msgspec.structs.replace(
            addresses,
            ipv4_address=first.ip or addresses.ipv4_address,
            ipv6_address=first.ip6 or addresses.ipv6_address,
            link_local_ips=[*addresses.link_local_ips, *first.link_local],
        )
    links = [*first.links] if _is_user_defined(name) else []
    return msgspec.structs.replace(
        settings,
        aliases=[*(settings.aliases or []), *first.aliases] or None,
        links=links or None,
        mac_address=first.mac or settings.mac_address,
        ipam_config=addresses if addresses != EndpointIpam() else None,
    )
