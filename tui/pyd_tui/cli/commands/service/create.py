"""`pyd service create`: a new service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pyd_core.client.credentials import Logins
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.cli.swarm.secret_refs import add_references
from pyd_tui.cli.swarm.service_spec import ServiceCreateOptions, new_spec, shared_options
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.service import ServiceCreated


@click.command(
    "create",
    cls=PydCommand,
    context_settings={"allow_interspersed_args": False},
    examples=(
        ("pyd service create --name web --replicas 3 -p 80:80 nginx", "three replicas, on a port of every node"),
        ("pyd service create --mode global --name agent agent:1", "one on every node"),
    ),
)
@click.argument("image", type=ImageName(), metavar="IMAGE")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARGUMENT]...")
@click.option("--name", default="", metavar="NAME", help="Its name.")
@click.option("--mode", type=click.Choice(("replicated", "global")), default="replicated", help="How tasks spread.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass ours on.")
@click.option("--env-file", multiple=True, metavar="FILE", help="Set variables from a file.")
@click.option("-p", "--publish", multiple=True, metavar="[PUBLISHED:]TARGET", help="Publish a port on every node.")
@click.option("--endpoint-mode", type=click.Choice(("vip", "dnsrr")), default="vip", help="How tasks are reached.")
@click.option("--mount", "mounts", multiple=True, metavar="FIELDS", help="Mount: type=volume,source=v,target=/b.")
@click.option("--secret", "secrets", multiple=True, metavar="NAME|FIELDS", help="A secret its tasks read.")
@click.option("--config", "configs", multiple=True, metavar="NAME|FIELDS", help="A config its tasks read.")
@click.option("--network", "networks", multiple=True, metavar="NETWORK", help="Join a network of the swarm.")
@click.option("--constraint", "constraints", multiple=True, metavar="RULE", help="Where: node.role==worker.")
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label of the service.")
@click.option("--container-label", "container_labels", multiple=True, metavar="NAME=VALUE", help="One of its tasks.")
@click.option("--entrypoint", default="", metavar="PROGRAM", help="In place of the image's.")
@click.option("--init", is_flag=True, help="Run an init that forwards signals and reaps processes.")
@click.option("-t", "--tty", is_flag=True, help="Give tasks a terminal.")
@click.option("--read-only", is_flag=True, help="Mount their root file system read-only.")
@click.option("--cap-add", multiple=True, metavar="CAPABILITY", help="Add a capability.")
@click.option("--cap-drop", multiple=True, metavar="CAPABILITY", help="Take a capability away.")
@shared_options
@pass_state
def command(state: State, /, **values: Any) -> None:
    """Make a service of an image; its tasks start at once, in the background."""
    options = ServiceCreateOptions(**values)
    spec = new_spec(options)
    credentials = Logins.of_user().for_image(options.image) if options.with_registry_auth else None

    async def create(engine: EngineClient) -> ServiceCreated:
        await add_references(engine, spec, secrets=options.secrets, configs=options.configs)
        return await engine.services.create(spec, credentials=credentials)

    created = state.ask(create)
    for warning in created.warnings:
        sys.stderr.write(f"warning: {safe(warning)}\n")
    if state.json:
        write_json(created)
    else:
        write(f"{safe(created.id)}\n")
