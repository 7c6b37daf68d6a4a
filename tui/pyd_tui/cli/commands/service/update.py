"""`pyd service update`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import click
import msgspec

from pyd_core.client.credentials import Logins
from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.cliparse.mounts import parse_mounts
from pyd_core.cliparse.variables import parse_variables
from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.swarm.names import ServiceName
from pyd_tui.cli.swarm.secret_refs import references
from pyd_tui.cli.swarm.service_spec import ServiceOptions, apply_shared, parse_ports, shared_options
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


class ServiceUpdateOptions(ServiceOptions, frozen=True, kw_only=True):
    """The options of `service update`."""

    image: str
    arguments: str
    env_add: tuple[str, ...]
    env_rm: tuple[str, ...]
    label_add: tuple[str, ...]
    label_rm: tuple[str, ...]
    publish_add: tuple[str, ...]
    publish_rm: tuple[int, ...]
    constraint_add: tuple[str, ...]
    constraint_rm: tuple[str, ...]
    network_add: tuple[str, ...]
    network_rm: tuple[str, ...]
    mount_add: tuple[str, ...]
    mount_rm: tuple[str, ...]
    secret_add: tuple[str, ...]
    secret_rm: tuple[str, ...]
    config_add: tuple[str, ...]
    config_rm: tuple[str, ...]
    force: bool


@click.command(
    "update",
    cls=PydCommand,
    examples=(
        ("pyd service update --image web:2 web", "roll out a new image"),
        ("pyd service update --env-add DEBUG=1 --limit-memory 1g web", "set a variable and a memory limit"),
        ("pyd service update --force web", "replace all tasks, even without changes"),
    ),
)
@click.argument("name", type=ServiceName(), metavar="SERVICE")
@click.option("--image", default="", metavar="IMAGE", help="New image.")
@click.option("--args", "arguments", default="", metavar="COMMAND", help="New command arguments, separated by spaces.")
@click.option("--env-add", multiple=True, metavar="NAME[=VALUE]", help="Add or update a variable.")
@click.option("--env-rm", multiple=True, metavar="NAME", help="Remove a variable.")
@click.option("--label-add", multiple=True, metavar="NAME=VALUE", help="Add or update a label.")
@click.option("--label-rm", multiple=True, metavar="NAME", help="Remove a label.")
@click.option("--publish-add", multiple=True, metavar="[PUBLISHED:]TARGET", help="Add or update a published port.")
@click.option(
    "--publish-rm", multiple=True, type=int, metavar="TARGET", help="Remove a published port by its target port."
)
@click.option("--constraint-add", multiple=True, metavar="RULE", help="Add a placement constraint.")
@click.option("--constraint-rm", multiple=True, metavar="RULE", help="Remove a placement constraint.")
@click.option("--network-add", multiple=True, metavar="NETWORK", help="Add a network.")
@click.option("--network-rm", multiple=True, metavar="NETWORK", help="Remove a network.")
@click.option("--mount-add", multiple=True, metavar="FIELDS", help="Add or replace a mount.")
@click.option("--mount-rm", multiple=True, metavar="TARGET", help="Remove a mount by its target path.")
@click.option("--secret-add", multiple=True, metavar="NAME|FIELDS", help="Add or replace a secret.")
@click.option("--secret-rm", multiple=True, metavar="NAME", help="Remove a secret.")
@click.option("--config-add", multiple=True, metavar="NAME|FIELDS", help="Add or replace a config.")
@click.option("--config-rm", multiple=True, metavar="NAME", help="Remove a config.")
@click.option("--force", is_flag=True, help="Replace all tasks, even without changes.")
@click.option("--rollback", is_flag=True, help="Roll back to the previous specification.")
@shared_options
@pass_state
def command(state: State, /, *, name: str, rollback: bool, **values: Any) -> int:
    """Update a service; its tasks are replaced one after another."""
    options = ServiceUpdateOptions(**values)
    if rollback:
        return run_on_each(state, [name], lambda engine, service: engine.services.rollback(service), resolve=keep_name)
    return run_on_each(state, [name], lambda engine, service: _edit(engine, service, options), resolve=keep_name)


async def _edit(engine: EngineClient, name: str, options: ServiceUpdateOptions) -> list[str]:
    """Resolve the named objects, then update the service."""
    secrets = await references(engine, "Secret", options.secret_add)
    configs = await references(engine, "Config", options.config_add)
    added_ids = [(await engine.networks.inspect(network)).id for network in options.network_add]
    removed_ids = {(await engine.networks.inspect(network)).id for network in options.network_rm}

    def change(spec: dict[str, Any]) -> None:
        _apply(spec, options)
        template = spec["TaskTemplate"]
        container = template["ContainerSpec"]
        _replace_entries(container, "Mounts", "Target", options.mount_rm, _mounts(options.mount_add))
        _replace_entries(container, "Secrets", "SecretName", options.secret_rm, secrets)
        _replace_entries(container, "Configs", "ConfigName", options.config_rm, configs)
        removed = {*removed_ids, *options.network_rm}
        _replace_entries(template, "Networks", "Target", removed, [{"Target": network} for network in added_ids])

    credentials = None
    if options.with_registry_auth:
        image = options.image or (await engine.services.inspect(name)).spec.task_template.container_spec.image
        credentials = Logins.of_user().for_image(image)
    return await engine.services.edit(name, change, credentials=credentials)


def _mounts(texts: Iterable[str]) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = msgspec.to_builtins(parse_mounts(texts))
    return mounts


def _replace_entries(
    owner: dict[str, Any], field: str, key: str, removed: Iterable[str], added: list[dict[str, Any]]
) -> None:
    """Remove entries of a list by key, and add others, which replace those with the same key."""
    obsolete = {*removed, *(entry.get(key) for entry in added)}
    if obsolete:
        owner[field] = [entry for entry in owner.get(field) or [] if entry.get(key) not in obsolete] + added


def _apply(spec: dict[str, Any], options: ServiceUpdateOptions) -> None:
    """Write the options into a spec (Engine API, `ServiceSpec`), in place."""
    apply_shared(spec, options)
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    if options.image:
        container["Image"] = options.image
    if options.arguments:
        container["Args"] = options.arguments.split()
    if options.env_add or options.env_rm:
        added = parse_variables(options.env_add, (), os.environ)
        replaced = {text.partition("=")[0] for text in (*added, *options.env_rm)}
        container["Env"] = [
            text for text in container.get("Env") or [] if text.partition("=")[0] not in replaced
        ] + added
    labels = {**(spec.get("Labels") or {}), **parse_pairs(options.label_add)}
    spec["Labels"] = {label: value for label, value in labels.items() if label not in options.label_rm}
    endpoint = spec.setdefault("EndpointSpec", {})
    remaining = [port for port in endpoint.get("Ports") or [] if port.get("TargetPort") not in options.publish_rm]
    endpoint["Ports"] = remaining + parse_ports(options.publish_add)
    placement = template.setdefault("Placement", {})
    placement["Constraints"] = _without(placement.get("Constraints") or [], options.constraint_rm) + list(
        options.constraint_add
    )
    if options.force:
        template["ForceUpdate"] = int(template.get("ForceUpdate") or 0) + 1


def _without(constraints: Iterable[str], removed: Iterable[str]) -> list[str]:
    removed_rules = {rule.replace(" ", "") for rule in removed}
    return [rule for rule in constraints if rule.replace(" ", "") not in removed_rules]
