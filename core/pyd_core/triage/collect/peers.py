"""The engine's other containers, by the names they can be reached by."""

from __future__ import annotations

from pyd_core.engine.client import Engine
from pyd_core.errors import PydError
from pyd_core.triage.evidence import Case, Peer, Unread

TELLS = "whether a name that couldn't be resolved is another container's"


async def collect(case: Case, engine: Engine) -> None:
    """Lists them, if the program couldn't resolve a name."""
    if not any(finding.cause == "dns-failure" and finding.subject for finding in case.findings):
        return
    try:
        listed = await engine.containers.list(all=True)
    except PydError as error:
        case.unread.append(Unread(source="engine", reason=error.message, would_tell=TELLS))
        return
    peers: list[Peer] = []
    for container in listed:
        if container.id == case.container.id:
            continue
        networks = container.network_settings.networks
        names = {container.name, container.service} - {""}
        for endpoint in networks.values():
            names.update(endpoint.aliases or ())
        peers.append(Peer(name=container.name, names=frozenset(names), networks=tuple(sorted(networks))))
    case.peers = tuple(peers)
