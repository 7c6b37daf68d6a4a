"""`pyd service create`."""

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
        ("pyd service create --name web --replicas 3 -p 80:80 nginx", "run three replicas, published on every node"),
        ("pyd service create --mode global --name agent agent:1", "run one task on every node"),
    ),
)
@click.argument("image", type=ImageName(), metavar="IMAGE")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARGUMENT]...")
@click.option("--name", default="", metavar="NAME", help="Name of the service.")
@click.option("--mode", type=click.Choice(("replicated", "global")), default="replicated", help="Service mode.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass on the current one.")
@click.option("--env-file", multiple=True, metavar="FILE", help="Read variables from a file.")
@click.option("-p", "--publish", multiple=True, metavar="[PUBLISHED:]TARGET", help="Publish a port on every node.")
@click.option("--endpoint-mode", type=click.Choice(("vip", "dnsrr")), default="vip", help="Endpoint mode.")
@click.option(
    "--mount", "mounts", multiple=True, metavar="FIELDS", help="Attach a mount: type=volume,source=v,target=/b."
)
@click.option("--secret", "secrets", multiple=True, metavar="NAME|FIELDS", help="Secret to expose to tasks.")
@click.option("--config", "configs", multiple=True, metavar="NAME|FIELDS", help="Config to expose to tasks.")
@click.option("--network", "networks", multiple=True, metavar="NETWORK", help="Network to attach.")
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    metavar="RULE",
    help="Placement constraint, such as node.role==worker.",
)
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Service label.")
@click.option("--container-label", "container_labels", multiple=True, metavar="NAME=VALUE", help="Container label.")
@click.option("--entrypoint", default="", metavar="PROGRAM", help="Override the entrypoint of the image.")
@click.option("--init", is_flag=True, help="Run an init that forwards signals and reaps processes.")
@click.option("-t", "--tty", is_flag=True, help="Allocate a terminal.")
@click.option("--read-only", is_flag=True, help="Mount the root file system of tasks read-only.")
@click.option("--cap-add", multiple=True, metavar="CAPABILITY", help="Add a capability.")
@click.option("--cap-drop", multiple=True, metavar="CAPABILITY", help="Drop a capability.")
@shared_options
@pass_state
def command(state: State, /, **values: Any) -> None:
    """Create a service from an image; its tasks start in the background."""
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
