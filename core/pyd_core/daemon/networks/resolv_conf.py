"""A container's /etc/resolv.conf, from the host's and from its options: see resolv.conf(5)."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path

from pyd_core.model.host_config import HostConfig

OWN = Path("/etc/resolv.conf")
BEHIND = Path("/run/systemd/resolve/resolv.conf")
"""Upstream servers of systemd-resolved, which itself listens at an address that only the host can reach."""
PUBLIC = ("8.8.8.8", "8.8.4.4")
"""Fallback of Docker Engine where a container can reach none of the host's servers."""


def of_host(*, within: bool) -> str:
    """Return the host's file, or the one behind systemd-resolved for containers that can reach no server in it."""
    text = _read(OWN)
    return text if within or _reached(text) else _read(BEHIND) or text


def plan(host: HostConfig, told: str, server: str, *, within: bool) -> str:
    """Return the content of the file.

    Args:
        host: The options `--dns`, `--dns-search` and `--dns-option`.
        host_text: The host's file.
        server: The name server of its network; empty if it has none.
        on_host_network: Whether it is on the host's network, where it can reach local servers.
    """
    servers = _values(told, "nameserver") if within else _reached(told)
    servers = [server] if server else host.dns or servers or list(PUBLIC)  # the network's server uses those of --dns itself
    search = host.dns_search or _values(told, "search")
    options = host.dns_options or _values(told, "options")
    if server and not any(each.startswith("ndots:") for each in host.dns_options):
        # A container's name is tried as it is before the host's domains are appended.
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
    """Return the values of a keyword: one per line for servers, those of the last line for others."""
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
