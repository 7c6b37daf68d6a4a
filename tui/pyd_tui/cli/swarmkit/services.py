"""`pyd service ls|rm|scale|rollback`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pyd_core.errors import InvalidInput
from pyd_core.model.service import Service
from pyd_core.sanitise import safe
from pyd_tui.cli.bulk import act, as_named
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.swarmkit.names import ServiceName
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import TableListing, list_options


def _fields(service: Service, full: bool) -> Mapping[str, Any]:
    status = service.service_status
    image = service.spec.task_template.container_spec.image
    ports = [
        f"*:{port.published_port}->{port.target_port}/{port.protocol}"
        for port in service.endpoint.ports
        if port.published_port
    ]
    return {
        "ID": service.id if full else service.id[:12],
        "Name": service.spec.name,
        "Mode": service.spec.mode.name,
        "Replicas": f"{status.running_tasks}/{status.desired_tasks}" if status else "",
        "Image": image if full else image.partition("@")[0],
        "Ports": ", ".join(ports),
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "ID": "ID",
        "Name": "NAME",
        "Mode": "MODE",
        "Replicas": "REPLICAS",
        "Image": "IMAGE",
        "Ports": "PORTS",
    },
    shown=("ID", "Name", "Mode", "Replicas", "Image", "Ports"),
)

services_argument = click.argument("names", nargs=-1, required=True, type=ServiceName(), metavar="SERVICE...")


@click.command("ls", cls=Verb, examples=(("pyd service ls -f mode=global", "those on every node"),))
@list_options
@pass_state
def listed(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
    """List services."""
    chosen = parse_filters(filters)
    found = state.ask(lambda engine: engine.services.list(filters=chosen))
    found.sort(key=lambda service: service.spec.name)
    LISTING.write(state, found, quiet=quiet, full=full, format=format)


@click.command("rm", cls=Verb, examples=(("pyd service rm web", "with its tasks"),))
@services_argument
@pass_state
def remove(state: State, /, *, names: tuple[str, ...]) -> int:
    """Remove services, with their tasks."""
    return act(state, names, lambda engine, name: engine.services.remove(name), resolve=as_named)


@click.command("rollback", cls=Verb, examples=(("pyd service rollback web", "undo the last update"),))
@click.argument("name", type=ServiceName(), metavar="SERVICE")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow.")
@click.option("-q", "--quiet", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow.")
@pass_state
def rollback(state: State, /, *, name: str) -> int:
    """Go back to what a service was before its last update."""
    return act(state, [name], lambda engine, found: engine.services.rollback(found), resolve=as_named)


@click.command("scale", cls=Verb, examples=(("pyd service scale web=5 worker=2", "two at once"),))
@click.argument("wanted", nargs=-1, required=True, metavar="SERVICE=REPLICAS...")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="As it is anyhow.")
@pass_state
def scale(state: State, /, *, wanted: tuple[str, ...]) -> int:
    """Set the number of replicas of services."""
    numbers: dict[str, int] = {}
    for text in wanted:
        name, equals, count = text.rpartition("=")
        if not equals or not count.isdecimal():
            raise InvalidInput(f"not a number of replicas: {safe(text)!r}", hint="write SERVICE=5")
        numbers[name] = int(count)
    return act(state, list(numbers), lambda engine, name: engine.services.scale(name, numbers[name]), resolve=as_named)
