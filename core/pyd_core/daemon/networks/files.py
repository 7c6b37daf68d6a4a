"""The files about networks that are bound into containers: /etc/hosts, /etc/hostname, /etc/resolv.conf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.networks import linked, names

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

NAMES = ("hosts", "hostname", "resolv.conf")


def write(daemon: Daemon, container: Container) -> None:
    """Writes a container's.

    The hosts files of running containers with a link to it are written too: its address may be another now.
    """
    _write(daemon, container)
    for other in daemon.containers.all():
        if other is not container and other.record.running and linked.of(other.record):
            _write(daemon, other)


def _write(daemon: Daemon, container: Container) -> None:
    record = container.record
    places = [(daemon.networks.find(name), place) for name, place in record.networks.items() if place.ip_address]
    server = next((network.gateway for network, _ in places if network.resolves), "")
    gateway = next((network.gateway for network, _ in places if network.driver == "bridge"), "127.0.0.1")
    own = [text for _, place in places for text in (place.ip_address, place.global_ipv6_address) if text]
    texts = {
        "hosts": names.hosts(record, own, gateway, linked.hosts(daemon, record)),
        "hostname": f"{record.config.hostname}\n",
        "resolv.conf": names.resolv_conf(record, server),
    }
    for name, text in texts.items():
        file = container.directory / name
        file.write_text(text)
        file.chmod(0o644)


def bound(daemon: Daemon, container: Container) -> dict[str, str]:
    """Those bound into a container, target to source; one that shares another's network shares its files."""
    mode = container.record.network_mode
    owner = daemon.containers.find(mode.partition(":")[2]) if mode.startswith("container:") else container
    return {f"/etc/{name}": str(owner.directory / name) for name in NAMES}
