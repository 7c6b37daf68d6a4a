"""Links (`--link NAME:ALIAS`): whom a container knows by another name, and what its environment tells of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import names
from pyd_core.daemon.networks.record import DEFAULT
from pyd_core.errors import EngineError, InvalidInput, NotFound

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

_PRIVATE = {"HOME", "PATH"}
"""Variables of a linked container that say nothing to another."""


def find(daemon: Daemon, link: str) -> tuple[Container, str]:
    """Returns the container a link leads to and its alias.

    Raises:
        InvalidInput: There is no such container.
    """
    name, _, alias = link.partition(":")
    try:
        return daemon.containers.find(name), alias or name.removeprefix("/")
    except NotFound as error:
        raise InvalidInput(f"could not get container for {name[:128]}: {error.message}") from error


def targets(daemon: Daemon, record: ContainerRecord) -> list[tuple[Container, str]]:
    """The containers that it has links to on the default network (`--link`), and their aliases; not those gone."""
    found: list[tuple[Container, str]] = []
    for link in record.host.links if DEFAULT in record.networks else ():
        with contextlib.suppress(InvalidInput):
            found.append(find(daemon, link))
    return found


def check(daemon: Daemon, record: ContainerRecord) -> None:
    """Refuses to start a container before those it has links to, as Docker Engine does, and in its words.

    Raises:
        EngineError: One doesn't run, or isn't on the default network.
    """
    for other, alias in targets(daemon, record):
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


def of(record: ContainerRecord) -> list[tuple[str, str]]:
    """The network and text (`NAME:ALIAS`) of each link a container has."""
    legacy = [(DEFAULT, link) for link in record.host.links]
    return legacy + [(name, link) for name, place in record.networks.items() for link in place.links or []]


def hosts(daemon: Daemon, record: ContainerRecord) -> list[tuple[str, str]]:
    """Address and names of each container it has a link to, for its hosts file."""
    found: list[tuple[str, str]] = []
    for name, link in of(record):
        try:
            other, alias = find(daemon, link)
        except InvalidInput:
            continue  # gone meanwhile
        place = other.record.networks.get(name)
        if place is not None and place.ip_address:
            known = dict.fromkeys((alias, other.record.config.hostname, other.record.name))
            found.append((place.ip_address, " ".join(names.served(known, ""))))
    return found


def environment(daemon: Daemon, record: ContainerRecord) -> list[str]:
    """The variables that tell of linked containers on the default network (Docker's documentation, "Legacy links").

    `ALIAS_NAME`, `ALIAS_PORT` for the lowest port, `ALIAS_PORT_80_TCP` and its parts for each, `ALIAS_ENV_NAME`.
    """
    found: list[str] = []
    for other, alias in targets(daemon, record):
        place = other.record.networks.get(DEFAULT)
        if place is None or not place.ip_address:
            continue
        head = alias.upper().replace("-", "_")
        found.append(f"{head}_NAME=/{record.name}/{alias}")
        exposed = [port.partition("/") for port in other.record.config.exposed_ports]
        ports = sorted((int(number), kind) for number, _, kind in exposed)
        for index, (number, kind) in enumerate(ports):
            url = f"{kind}://{place.ip_address}:{number}"
            name = f"{head}_PORT_{number}_{kind.upper()}"
            found += [f"{head}_PORT={url}"] if index == 0 else []
            found += [f"{name}={url}", f"{name}_ADDR={place.ip_address}"]
            found += [f"{name}_PORT={number}", f"{name}_PROTO={kind}"]
        own = [entry for entry in other.record.config.env if entry.partition("=")[0] not in _PRIVATE]
        found += [f"{head}_ENV_{entry}" for entry in own]
    return found
