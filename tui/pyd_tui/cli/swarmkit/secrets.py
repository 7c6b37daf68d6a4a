"""`pyd secret|config ls|create|rm`."""

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
from pyd_core.cliparse.fields import pairs
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.model.base import label, parse_time
from pyd_core.model.secret import Config, Secret
from pyd_core.sanitise import safe
from pyd_tui.cli.bulk import act, as_named
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.swarmkit.names import ConfigName, SecretName
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.output import write, write_json
from pyd_tui.console.render.docker_words import spell_duration, spell_labels

Noun = Callable[[EngineClient], SecretsApi | ConfigsApi]


def _ago(text: str) -> str:
    made = parse_time(text)
    return f"{spell_duration(time.time() - made / 1e9)} ago" if made else ""


def _fields(found: Secret | Config, full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - ids aren't shortened
    return {
        "ID": found.id,
        "Name": found.spec.name,
        "CreatedAt": _ago(found.created_at),
        "UpdatedAt": _ago(found.updated_at),
        "Labels": spell_labels(found.spec.labels),
        "Label": lambda name: label(found.spec.labels, name),
    }


LISTING = TableListing(
    fields=_fields,
    titles={"ID": "ID", "Name": "NAME", "CreatedAt": "CREATED", "UpdatedAt": "UPDATED"},
    shown=("ID", "Name", "CreatedAt", "UpdatedAt"),
)


def _list(kind: str, noun: Noun) -> Verb:
    @click.command("ls", cls=Verb, help=f"List {kind}s.", examples=((f"pyd {kind} ls -q", "ids alone"),))
    @list_options
    @pass_state
    def command(state: State, /, *, filters: tuple[str, ...], quiet: bool, full: bool, format: str) -> None:
        chosen = parse_filters(filters)

        async def work(engine: EngineClient) -> list[Secret] | list[Config]:
            return await noun(engine).list(filters=chosen)

        LISTING.write(state, state.ask(work), quiet=quiet, full=full, format=format)

    return command


def _create(kind: str, noun: Noun) -> Verb:
    @click.command(
        "create",
        cls=Verb,
        help=f"Make a {kind} of a file, or of standard input.",
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
        made = state.ask(lambda engine: noun(engine).create(name, data, labels=pairs(labels)))
        if state.json:
            write_json({"ID": made})
        else:
            write(f"{safe(made)}\n")

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


def _remove(kind: str, argument: click.ParamType[str], noun: Noun) -> Verb:
    @click.command(
        "rm", cls=Verb, help=f"Remove {kind}s that no service uses.", examples=((f"pyd {kind} rm a", "one"),)
    )
    @click.argument("names", nargs=-1, required=True, type=argument, metavar="NAME...")
    @pass_state
    def command(state: State, /, *, names: tuple[str, ...]) -> int:
        return act(state, names, lambda engine, name: noun(engine).remove(name), resolve=as_named)

    return command


def _secrets(engine: EngineClient) -> SecretsApi:
    return engine.secrets


def _configs(engine: EngineClient) -> ConfigsApi:
    return engine.configs


list_secrets, list_configs = _list("secret", _secrets), _list("config", _configs)
create_secret, create_config = _create("secret", _secrets), _create("config", _configs)
remove_secrets = _remove("secret", SecretName(), _secrets)
remove_configs = _remove("config", ConfigName(), _configs)
