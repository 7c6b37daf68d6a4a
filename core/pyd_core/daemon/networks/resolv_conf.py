"""A container's /etc/resolv.conf, made of the host's and of what was asked for: see resolv.conf(5)."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path

from pyd_core.model.host_config import HostConfig

OWN = Path("/etc/resolv.conf")
BEHIND = Path("/run/systemd/resolve/resolv.conf")
"""The servers that systemd-resolved asks, which itself listens at an address of the host's alone."""
PUBLIC = ("8.8.8.8", "8.8.4.4")
"""Whom Docker Engine takes where a container can reach none of the host's."""


def of_host(*, within: bool) -> str:
    """Returns the host's file; the one behind it for who isn't within its network and can reach no server it names."""
    text = _read(OWN)
    return text if within or _reached(text) else _read(BEHIND) or text


def plan(host: HostConfig, told: str, server: str, *, within: bool) -> str:
    """Writes the file.

    Args:
        host: What was asked for: `--dns`, `--dns-search`, `--dns-option`.
        told: The host's file.
        server: The name server of its network; empty where it has none.
        within: Whether the container is on the host's own network, where it reaches what listens on the host alone.
    """
    servers = _values(told, "nameserver") if within else _reached(told)
    servers = [server] if server else host.dns or servers or list(PUBLIC)  # the network's asks those of --dns itself
    search = host.dns_search or _values(told, "search")
    options = host.dns_options or _values(told, "options")
    if server and not any(each.startswith("ndots:") for each in host.dns_options):
        # A container's name is asked for as it is before it is tried in the host's domains.
        options = [*(each for each in options if not each.startswith("ndots:")), "ndots:0"]
    found = [f"nameserver {each}" for each in servers]
    if search and search != ["."]:
        found.append(f"search {' '.join(search)}")
    if options:
        found.append(f"options {' '.join(options)}")
    return "\n".join(found) + "\n"


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""


def _values(text: str, key: str) -> list[str]:
    """What follows a keyword; of several lines with servers each has one, of others' the last counts."""
    rows = [line.split() for line in text.splitlines()]
    found = [row[1:] for row in rows if len(row) > 1 and row[0] == key]
    if key == "nameserver":
        return [row[0] for row in found]
    return found[-1] if found else []


def _reached(text: str) -> list[str]:
    return [each for each in _values(text, "nameserver") if not _local(each)]


def _local(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return True
