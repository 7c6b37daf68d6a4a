"""The engine's other containers, by the names they can be reached by."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.model.container import ContainerSummary, SummaryNetworks
from pyd_core.triage.evidence import Case, NetworkPeer, UnavailableSource

MAX_INSPECTED = 200

TELLS = "whether a name that couldn't be resolved is another container's"


async def collect(case: Case, engine: Provider) -> None:
    """List them, if the program couldn't resolve a name."""
    if not any(finding.cause == "dns-failure" and finding.subject for finding in case.findings):
        return
    try:
        listed = await engine.containers.list(all=True)
    except PydError as error:
        case.unread.append(UnavailableSource(source="engine", reason=error.message, would_tell=TELLS))
        return
    names = {finding.subject for finding in case.findings if finding.cause == "dns-failure"}
    peers: list[NetworkPeer] = []
    for container in await with_aliases(engine, listed, names):
        if container.id != case.container.id:
            networks = tuple(sorted(container.network_settings.networks))
            peers.append(NetworkPeer(name=container.name, names=frozenset(names_of(container)), networks=networks))
    case.peers = tuple(peers)


def names_of(container: ContainerSummary) -> set[str]:
    """Return the names by which other containers reach a container, as far as the engine lists them."""
    ends = container.network_settings.networks.values()
    aliases = (alias for end in ends for alias in (*(end.aliases or ()), *(end.dns_names or ())))
    return {container.name, container.service, container.id[:12], *aliases} - {""}


async def with_aliases(
    engine: Provider, listed: list[ContainerSummary], names: Container[str]
) -> list[ContainerSummary]:
    """Return the containers with their aliases, which Docker Engine's list leaves out, unless a name is found without.

    Args:
        engine: Asked about each, at most `MAX_INSPECTED` of them.
        listed: The engine's list.
        names: The names that are looked for.
    """
    if any(name in names for container in listed for name in names_of(container)):
        return listed
    resolved: list[ContainerSummary] = []
    for container in listed[:MAX_INSPECTED]:
        try:
            networks = (await engine.containers.inspect(container.id)).network_settings.networks
        except PydError:
            continue  # gone meanwhile
        resolved.append(msgspec.structs.replace(container, network_settings=SummaryNetworks(networks=networks)))
    return [*resolved, *listed[MAX_INSPECTED:]]
