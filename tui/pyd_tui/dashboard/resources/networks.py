"""The view of networks: their subnets and members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pyd_core.client.provider import Provider, engine_of
from pyd_core.model.base import parse_time
from pyd_core.model.container import ContainerSummary
from pyd_core.model.network import Network
from pyd_tui.dashboard.render.containers import published
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.figures import Clock, full_moment
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Span, cell, fit
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row, by_type
from pyd_tui.dashboard.resources.users import in_order, names, networks_of, users

COLUMNS = (
    LayoutColumn(key="name", title="NAME", min_width=16, max_width=44, priority=0, whole=True),
    LayoutColumn(key="driver", title="DRIVER", min_width=8, max_width=12, priority=3),
    LayoutColumn(key="scope", title="SCOPE", min_width=5, max_width=6, priority=5),
    LayoutColumn(key="subnet", title="SUBNET", min_width=16, max_width=40, priority=2),
    LayoutColumn(key="rules", title="RULES", min_width=8, max_width=20, priority=6, optional=True),
    LayoutColumn(key="members", title="MEMBERS", min_width=12, max_width=90, priority=1),
)
BUILT_IN = frozenset({"bridge", "host", "none", "podman"})
"""Networks that engines create and never remove."""


def row(network: Network, used: list[ContainerSummary]) -> Row:
    """Return the row of a network."""
    subnets = ", ".join(config.subnet for config in network.ipam.config if config.subnet)
    rules = ", ".join(word for word, on in (("internal", network.internal), ("ingress", network.ingress)) if on)
    members = names(used) or (Span("unused", "dim"),)
    cells = (
        cell(network.name, "strong" if used else "text"),
        cell(network.driver, "dim"),
        cell(network.scope, "dim"),
        cell(subnets),
        cell(rules, "info"),
        (Span(f"{len(used) or '':>2}  ", "dim"), *members),
    )
    return Row(key=network.id, name=network.name, cells=cells, thing=used, words=network.id)


async def _load(context: LoadContext) -> list[Row]:
    used = await users(context.engine, networks_of)
    networks = sorted(
        await context.engine.networks.list(), key=lambda network: (network.name in BUILT_IN, network.name)
    )
    return [row(network, used.get(network.name, [])) for network in networks]


async def _about(context: LoadContext, row: Row) -> list[Cell]:
    used = row.thing if isinstance(row.thing, list) else []
    return about(await context.engine.networks.inspect(row.key), used, context.clock)


def about(network: Network, used: list[ContainerSummary], clock: Clock) -> list[Cell]:
    """Return the details of one network."""
    created = parse_time(network.created)
    facts = [
        fact("driver", cell(network.driver), cell(f"  scope {network.scope}", "dim")),
        *(
            fact("subnet", cell(config.subnet), cell(f"  gateway {config.gateway}" if config.gateway else "", "dim"))
            for config in network.ipam.config
        ),
        fact("internet", cell("no" if network.internal else "yes")),
        fact("containers", cell(_each_other(network))),
        fact("ID", cell(network.id[:12], "dim")),
    ]
    if created is not None:
        facts.append(fact("created", cell(full_moment(created, clock))))
    facts += [fact("option", cell(f"{name}={value}", "dim")) for name, value in network.options.items()]
    facts += [fact("label", cell(f"{name}={value}", "dim")) for name, value in network.labels.items()]
    return block("Network", facts)[1:] + block("Members", _members(network, used))


def _each_other(network: Network) -> str:
    """Return how members reach one another (docker.com, "Bridge network driver": names, and `enable_icc`)."""
    if network.driver in {"host", "null", "none"}:
        return "share the host's network" if network.driver == "host" else "no network"
    if network.options.get("com.docker.network.bridge.enable_icc") == "false":
        return "can't reach each other, except on published ports"
    if network.name == "bridge" and network.driver == "bridge":
        return "reach each other by IP only: the default network has no names"
    return "reach each other by name and IP"


def _members(network: Network, used: list[ContainerSummary]) -> list[Cell]:
    lines: list[Cell] = []
    for container in in_order(used):
        member = network.containers.get(container.id)
        endpoint = container.network_settings.networks.get(network.name)
        known = ", ".join(
            dict.fromkeys([*((endpoint and endpoint.dns_names) or []), *((endpoint and endpoint.aliases) or [])])
        )
        addresses = " ".join(part for part in ((member.ipv4_address, member.ipv6_address) if member else ()) if part)
        running = container.state == "running"
        lines.append(
            (
                Span(" ● " if running else " ○ ", "good" if running else "dim"),
                *fit(cell(container.name, "text" if running else "dim"), 30),
                Span("  "),
                *fit(cell(addresses or container.state, "accent" if addresses else "dim"), 24),
                *cell(f"  known as {known}" if known else "", "dim"),
            )
        )
        others = [name for name in container.network_settings.networks if name != network.name]
        ports = published(container.ports)
        notes = [*([f"published {ports}"] if ports else []), *([f"also on {', '.join(others)}"] if others else [])]
        if notes:
            lines.append((Span("     "), *cell("; ".join(notes), "dim")))
    return lines or [(Span(" no members", "dim"),)]


async def waste(context: LoadContext, row: Row | None = None) -> list[PruneCandidate]:
    """Return the user-defined networks that no container refers to, running or not."""
    del row
    used = await users(context.engine, networks_of)
    return [
        PruneCandidate(network.name, None, _remover(network.id))
        for network in await context.engine.networks.list()
        if network.name not in used and network.name not in BUILT_IN and not network.ingress
    ]


def _remover(identity: str) -> Callable[[Provider], Awaitable[object]]:
    return lambda engine: engine_of(engine).networks.remove(identity)


NETWORKS = ResourceView(
    name="networks",
    columns=COLUMNS,
    load=_load,
    about=_about,
    refreshed_by=by_type("network"),
    empty="no networks",
    remove=lambda engine, row: engine_of(engine).networks.remove(row.key),
    waste=waste,
)
