"""The commands of `pyd secret` and `pyd config`, which differ only in the API they call."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from pyd_core.client.configs import ConfigsApi
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.secrets import SecretsApi
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.humanize import docker_duration
from pyd_core.model.base import label, parse_time
from pyd_core.model.secret import Config, Secret
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.output import write, write_json
from pyd_tui.console.render.docker_words import spell_labels

Api = Callable[[EngineClient], SecretsApi | ConfigsApi]


def _ago(text: str) -> str:
    created_ns = parse_time(text)
    return f"{docker_duration(time.time() - created_ns / 1e9)} ago" if created_ns else ""


def _fields(secret: Secret | Config, full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - ids aren't shortened
    return {
        "ID": secret.id,
        "Name": secret.spec.name,
        "CreatedAt": _ago(secret.created_at),
        "UpdatedAt": _ago(secret.updated_at),
        "Labels": spell_labels(secret.spec.labels),
        "Label": lambda name: label(secret.spec.labels, name),
    }


LISTING = TableListing(
    fields=_fields,
    titles={"ID": "ID", "Name": "NAME", "CreatedAt": "CREATED", "UpdatedAt": "UPDATED"},
    shown=("ID", "Name", "CreatedAt", "UpdatedAt"),
)


def list_command(kind: str, api: Api) -> PydCommand:
    """Return the `ls` command of secrets or configs."""

    @click.command("ls", cls=PydCommand, help=f"List {kind}s.", examples=((f"pyd {kind} ls -q", "print only ids"),))
    @list_options
    @pass_state
    def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
        selected = parse_filters(filters)

        async def work(engine: EngineClient) -> list[Secret] | list[Config]:
            return await api(engine).list(filters=selected)

        LISTING.write(state, state.ask(work), quiet=quiet, full=full, format=format)

    return command


def create_command(kind: str, api: Api) -> PydCommand:
    """Return the `create` command of secrets or configs."""

    @click.command(
        "create",
        cls=PydCommand,
        help=f"Create a {kind} from a file or standard input.",
        examples=(
            (f"pyd {kind} create NAME FILE", "from a file"),
            (f"pyd {kind} create NAME -", "from standard input"),
        ),
    )
    @click.argument("name", metavar="NAME")
    @click.argument("file", metavar="FILE|-")
    @click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label.")
    @pass_state
    def command(state: State, /, *, name: str, file: str, labels: tuple[str, ...]) -> None:
        data = _content(file)
        secret_id = state.ask(lambda engine: api(engine).create(name, data, labels=parse_pairs(labels)))
        if state.json:
            write_json({"ID": secret_id})
        else:
            write(f"{safe(secret_id)}\n")

    return command


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {safe(file)}", reference="no-such-file") from error
    except OSError as error:
        raise InvalidInput(f"can't read {safe(file)}: {error.strerror}") from error


def remove_command(kind: str, argument: click.ParamType[str], api: Api) -> PydCommand:
    """Return the `rm` command of secrets or configs."""

    @click.command(
        "rm",
        cls=PydCommand,
        help=f"Remove one or more {kind}s.",
        examples=((f"pyd {kind} rm a", f"remove a {kind} that no service uses"),),
    )
    @click.argument("names", nargs=-1, required=True, type=argument, metavar="NAME...")
    @pass_state
    def command(state: State, /, *, names: tuple[str, ...]) -> int:
        return run_on_each(state, names, lambda engine, name: api(engine).remove(name), resolve=keep_name)

    return command
