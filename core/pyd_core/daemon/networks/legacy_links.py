"""Links (`--link NAME:ALIAS`): aliases of other containers, and environment variables that describe them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import dns
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.record import DEFAULT, PREDEFINED, NetworkRecord
from pyd_core.errors import EngineError, InvalidInput, NotFound
from pyd_core.model.host_config import HostConfig

_PRIVATE = {"HOME", "PATH"}
"""Variables of a linked container that are of no use to another."""
_UNDEFINED = "This would result in undefined behavior"


def parse_link(link: str) -> tuple[str, str]:
    """Split `NAME:ALIAS`, `NAME`, or `/NAME:/PARENT/ALIAS` as inspect shows it, into name and alias."""
    name, _, alias = link.partition(":")
    if name.startswith("/"):
        return name[1:], alias.rpartition("/")[2] or name[1:]
    return name, alias.removeprefix("/") or name  # older clients write the alias as a path, too


def resolve(containers: ContainerLookup, host: HostConfig) -> dict[str, str]:
    """Return the ids of the containers that a new container links to on the default network, by alias.

    On other networks a link is a name, which any container may have.

    Raises:
        InvalidInput: There is no such container, or it is on the host's network.
    """
    mode = host.network_mode
    if mode not in {"", "default", *PREDEFINED}:
        return {}
    links: dict[str, str] = {}
    for link in host.links:
        name, alias = parse_link(link)
        try:
            other = containers.find(name)
            while other.record.network_mode.startswith("container:"):
                name = other.record.network_mode.partition(":")[2]
                other = containers.find(name)
        except NotFound as error:
            raise InvalidInput(f"could not get container for {name[:128]}: {error.message}") from error
        if other.record.network_mode == "host":
            raise InvalidInput(f"conflicting options: host type networking can't be used with links. {_UNDEFINED}")
        links[alias] = other.id
    return links


def targets(containers: ContainerLookup, record: ContainerRecord) -> list[tuple[EngineContainer, str]]:
    """Return the existing containers that it links to on the default network (`--link`), with their aliases."""
    if DEFAULT not in record.networks:
        return []
    return [(other, alias) for alias, key in links_of(containers, record).items() if (other := containers.get(key))]


def links_of(containers: ContainerLookup, record: ContainerRecord) -> dict[str, str]:
    """Return the ids of linked containers by alias."""
    if record.links or not record.host.links:
        return record.links
    with contextlib.suppress(InvalidInput):  # a record of version 0.1, which has only names
        return resolve(containers, record.host)
    return {}


def inspect_links(containers: ContainerLookup, record: ContainerRecord) -> list[str]:
    """Return `HostConfig.Links` for inspect: `/NAME:/PARENT/ALIAS`."""
    links = links_of(containers, record).items()
    return [f"/{other.record.name}:/{record.name}/{alias}" for alias, key in links if (other := containers.get(key))]


def link_names(containers: ContainerLookup, container: EngineContainer) -> list[str]:
    """Return the names that others' links give a container, as the list shows them: `/PARENT/ALIAS`."""
    return [
        f"/{parent.record.name}/{alias}"
        for parent in containers.all()
        if parent.record.host.links
        for alias, key in links_of(containers, parent.record).items()
        if key == container.id
    ]


def check_running(containers: ContainerLookup, record: ContainerRecord) -> None:
    """Refuse to start a container before those it links to, with Docker Engine's messages.

    Raises:
        EngineError: One doesn't run, or isn't on the default network.
    """
    for other, alias in targets(containers, record):
        name, status = other.record.name, other.record.status
        if DEFAULT not in other.record.networks:
            raise EngineError(
                f"Cannot link to /{name}, as it does not belong to the default network",
                hint="containers on a network of your own know each other by name, without links",
            )
        if not other.record.running and status != "restarting":
            raise EngineError(
                f"Cannot link to a non running container: /{name} AS /{record.name}/{alias}", hint=f"start {name} first"
            )


def has_links(record: ContainerRecord) -> bool:
    """Return whether a container has a link on any network."""
    return bool(record.links or record.host.links) or any(endpoint.links for endpoint in record.networks.values())


def linked_on(
    containers: ContainerLookup, record: ContainerRecord, network: NetworkRecord
) -> Iterator[tuple[EngineContainer, str]]:
    """Yield the containers that a container's links name on a user-defined network, with their aliases."""
    endpoint = record.networks.get(network.name)
    for link in (endpoint.links or ()) if endpoint else ():
        name, alias = parse_link(link)
        with contextlib.suppress(NotFound, InvalidInput):  # it may be created later
            yield containers.find(name), alias


def host_entries(containers: ContainerLookup, networks: NetworkStore, record: ContainerRecord) -> list[tuple[str, str]]:
    """Return address and names of each linked container for its hosts file; name servers provide the others."""
    linked = [(DEFAULT, *target) for target in targets(containers, record)]
    for network in (networks.find(name) for name, endpoint in record.networks.items() if endpoint.links):
        linked += [
            (network.name, *target) for target in linked_on(containers, record, network) if not network.has_name_server
        ]
    lines: list[tuple[str, str]] = []
    for name, other, alias in linked:
        endpoint = other.record.networks.get(name)
        if endpoint is not None and endpoint.ip_address:
            names = dict.fromkeys((alias, other.record.config.hostname, other.record.name))
            lines.append((endpoint.ip_address, " ".join(dns.network_names(names, ""))))
    return lines


def environment(containers: ContainerLookup, record: ContainerRecord) -> list[str]:
    """Return the variables for linked containers on the default network (Docker's documentation, "Legacy links").

    `ALIAS_NAME`, `ALIAS_PORT` for the lowest port, `ALIAS_PORT_80_TCP` and its parts for each, `ALIAS_ENV_NAME`.
    """
    variables: list[str] = []
    for other, alias in targets(containers, record):
        endpoint = other.record.networks.get(DEFAULT)
        if endpoint is None or not endpoint.ip_address:
            continue
        prefix = alias.upper().replace("-", "_")
        variables.append(f"{prefix}_NAME=/{record.name}/{alias}")
        exposed = [port.partition("/") for port in other.record.config.exposed_ports]
        ports = sorted((int(number), kind) for number, _, kind in exposed)
        for index, (number, kind) in enumerate(ports):
            url = f"{kind}://{endpoint.ip_address}:{number}"
            name = f"{prefix}_PORT_{number}_{kind.upper()}"
            variables += [f"{prefix}_PORT={url}"] if index == 0 else []
            variables += [f"{name}={url}", f"{name}_ADDR={endpoint.ip_address}"]
            variables += [f"{name}_PORT={number}", f"{name}_PROTO={kind}"]
        own = [entry for entry in other.record.config.env if entry.partition("=")[0] not in _PRIVATE]
        variables += [f"{prefix}_ENV_{entry}" for entry in own]
    return variables
