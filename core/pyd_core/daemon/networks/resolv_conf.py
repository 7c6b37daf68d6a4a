"""A container's /etc/resolv.conf, from the host's and from its options: see resolv.conf(5)."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path

from pyd_core.model.host_config import HostConfig

HOST_FILE = Path("/etc/resolv.conf")
RESOLVED_UPSTREAM_FILE = Path("/run/systemd/resolve/resolv.conf")
"""Upstream servers of systemd-resolved, which itself listens at an address that only the host can reach."""
FALLBACK_SERVERS = ("8.8.8.8", "8.8.4.4")
"""Fallback of Docker Engine where a container can reach none of the host's servers."""


def read_host_file(*, on_host_network: bool) -> str:
    """Return the host's file, or the one behind systemd-resolved for containers that can reach no server in it."""
    text = _read(HOST_FILE)
    return text if on_host_network or _reachable_servers(text) else _read(RESOLVED_UPSTREAM_FILE) or text


def plan(host: HostConfig, host_text: str, server: str, *, on_host_network: bool) -> str:
    """Return the content of the file.

    Args:
        host: The options `--dns`, `--dns-search` and `--dns-option`.
        host_text: The host's file.
        server: The name server of its network; empty if it has none.
        on_host_network: Whether it is on the host's network, where it can reach local servers.
    """
    servers = _values(host_text, "nameserver") if on_host_network else _reachable_servers(host_text)
    # The network's server uses those of --dns itself.
    servers = [server] if server else host.dns or servers or list(FALLBACK_SERVERS)
    search = host.dns_search or _values(host_text, "search")
    options = host.dns_options or _values(host_text, "options")
    if server and not any(option.startswith("ndots:") for option in host.dns_options):
        # A container's name is tried as it is before the host's domains are appended.
        options = [*(option for option in options if not option.startswith("ndots:")), "ndots:0"]
    lines = [f"nameserver {address}" for address in servers]
    if search and search != ["."]:
        lines.append(f"search {' '.join(search)}")
    if options:
        lines.append(f"options {' '.join(options)}")
    return "\n".join(lines) + "\n"


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""


def _values(text: str, key: str) -> list[str]:
    """Return the values of a keyword: one per line for servers, those of the last line for others."""
    rows = [line.split() for line in text.splitlines()]
    matches = [row[1:] for row in rows if len(row) > 1 and row[0] == key]
    if key == "nameserver":
        return [row[0] for row in matches]
    return matches[-1] if matches else []


def _reachable_servers(text: str) -> list[str]:
    return [server for server in _values(text, "nameserver") if not _is_loopback(server)]


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return True
