"""`pyd stack ls|services|rm`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from pyd_core.model.service import STACK
from pyd_core.sanitise import safe
from pyd_tui.cli.bulk import act, as_named
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.swarmkit.names import StackName
from pyd_tui.cli.swarmkit.services import LISTING as SERVICES
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import TableListing, format_option, list_options


def _fields(stack: Mapping[str, Any], full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - nothing to shorten
    return {"Name": stack["name"], "Services": str(stack["services"]), "Orchestrator": "Swarm"}


LISTING = TableListing(
    fields=_fields,
    titles={"Name": "NAME", "Services": "SERVICES"},
    shown=("Name", "Services"),
    identity="Name",
    right=frozenset({"Services"}),
)


@click.command("ls", cls=Verb, examples=(("pyd stack ls", "what was deployed"),))
@format_option
@pass_state
def listed(state: State, /, *, format: str) -> None:
    """List stacks."""
    found = state.ask(lambda engine: engine.services.list(filters={"label": [STACK]}))
    names = [service.stack for service in found]
    stacks = [{"name": name, "services": names.count(name)} for name in sorted(set(names))]
    LISTING.write(state, stacks, quiet=False, full=True, format=format)


@click.command("services", cls=Verb, examples=(("pyd stack services shop", "its services"),))
@click.argument("name", type=StackName(), metavar="STACK")
@list_options
@pass_state
def services(state: State, /, *, name: str, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List the services of a stack."""
    chosen = parse_filters(filters) or {}
    label = [*chosen.get("label", []), f"{STACK}={name}"]
    found = state.ask(lambda engine: engine.services.list(filters={**chosen, "label": label}))
    SERVICES.write(state, found, quiet=quiet, full=full, format=format)


@click.command("rm", cls=Verb, examples=(("pyd stack rm shop", "services, secrets, configs and networks"),))
@click.argument("names", nargs=-1, required=True, type=StackName(), metavar="STACK...")
@pass_state
def remove(state: State, /, *, names: tuple[str, ...]) -> int:
    """Remove stacks: their services, secrets, configs and networks."""
    return act(state, names, _remove, resolve=as_named)


async def _remove(engine: EngineClient, name: str) -> None:
    mine = {"label": [f"{STACK}={name}"]}
    services = await engine.services.list(filters=mine)
    secrets = await engine.secrets.list(filters=mine)
    configs = await engine.configs.list(filters=mine)
    networks = await engine.networks.list(filters=mine)
    if not (services or secrets or configs or networks):
        raise NotFound(f"nothing found in stack: {safe(name)}", hint="pyd stack ls", reference="no-such-stack")
    for service in services:
        await engine.services.remove(service.id)
    for secret in secrets:
        await engine.secrets.remove(secret.id)
    for config in configs:
        await engine.configs.remove(config.id)
    for network in networks:
        await engine.networks.remove(network.id)
