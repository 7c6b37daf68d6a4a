"""`pyd edit`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pyd_core.errors import Unsupported
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.kube.editing import Change, EditedObject

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command(
    "edit",
    cls=PydCommand,
    json=False,
    examples=(
        ("pyd edit deploy/web", "edit a deployment of the current context"),
        ("pyd edit configmap/settings --dry-run", "show what the server would store, and change nothing"),
    ),
)
@click.argument("target", metavar="KIND/NAME")
@click.option("--dry-run", is_flag=True, help="Show the difference only.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before the change.")
@pass_state
def command(state: State, /, *, target: str, dry_run: bool, yes: bool) -> None:
    """Edit an object of a cluster as YAML.

    pyd asks the server what it would store, shows the difference, and asks before the change. The editor is $VISUAL
    or $EDITOR.
    """
    kind, slash, name = target.partition("/")
    if not (kind and slash and name) or "/" in name:
        raise click.UsageError("write KIND/NAME, such as deploy/web")
    if not state.hosts and not state.contexts:
        state.hosts = ("kube://",)

    async def edit(engine: Provider) -> None:
        from pyd_core.kube.cluster_client import ClusterClient
        from pyd_core.kube.discovery import find_resource
        from pyd_core.kube.editing import EditedObject

        if not isinstance(engine, ClusterClient):
            raise Unsupported("only a cluster's objects are edited", hint="-H kube://CONTEXT/NAMESPACE")
        resource = await find_resource(engine.cluster, kind)
        path = resource.path(engine.cluster.access.scope, name)
        edited = await EditedObject.fetch(engine.cluster, path)
        change = await _changed(edited)
        if change is None or not change.lines:
            write("nothing changed\n")
            return
        for line in change.lines:
            click.secho(_shown(line), fg=COLOURS.get(line[:1]))
        if dry_run or not (yes or _confirmed(target)):
            return
        await edited.apply(change)
        write(f"{target} changed\n")

    state.run_provider(edit)


async def _changed(edited: EditedObject) -> Change | None:
    """Open the editor and return the change that the server would accept; None if the text stayed as it was."""
    text = click.edit(edited.text, extension=".yaml", require_save=True)
    if text is None or text == edited.text:
        return None
    return await edited.try_out(text)


def _shown(line: str) -> str:
    from pyd_core.sanitise import safe

    return safe(line)


def _confirmed(target: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("--yes or --dry-run is needed without a terminal")
    return click.confirm(f"change {_shown(target)}?", default=False)
