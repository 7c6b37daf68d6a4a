"""The `inspect` commands, which print an engine's own JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from pyd_core.errors import NotFound, PydError
from pyd_tui.console import failures
from pyd_tui.console.command import Examples, PydCommand
from pyd_tui.console.documents import print_document
from pyd_tui.console.global_options import State
from pyd_tui.console.output import json_document

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

OMITTED = frozenset(
    {
        *("Health", "Healthcheck", "SizeRw", "SizeRootFs", "StopSignal", "StopTimeout", "Shell", "ArgsEscaped"),
        *("MacAddress", "Annotations", "Mounts", "Tmpfs", "Sysctls", "StorageOpt", "Init", "ExposedPorts", "Volumes"),
        *("Status", "Error", "UpdateStatus", "PreviousSpec", "ManagerStatus", "Limits", "Reservations", "Labels"),
    }
)
"""Fields that engines omit where they have no value, but that templates may name."""
KINDS = ("container", "image", "network", "volume")


def inspect_command(argument: click.ParamType[str], kind: str, objects: str, examples: Examples) -> PydCommand:
    """Return the `inspect` command of one kind of objects, or of all kinds if `kind` is empty."""
    params: list[click.Parameter] = [
        click.Argument(["names"], nargs=-1, required=True, type=argument, metavar="NAME..."),
        click.Option(["-f", "--format"], default="", metavar="TEMPLATE", help="json, or a Go template."),
        click.Option(["-s", "--size"], is_flag=True, help="Show the sizes of containers; slow."),
    ]
    if not kind:
        params.append(click.Option(["--type", "kind"], type=click.Choice(KINDS), help="Kind of object."))
    return PydCommand(
        name="inspect",
        callback=click.pass_context(_command if not kind else lambda ctx, **values: _command(ctx, kind=kind, **values)),
        params=params,
        help=f"Show detailed information on one or more {objects} as a JSON array.",
        examples=examples,
    )


def _command(ctx: click.Context, /, *, names: tuple[str, ...], kind: str | None, size: bool, format: str) -> int:
    state = ctx.ensure_object(State)
    kinds = (kind,) if kind else KINDS
    documents, missing = state.ask_provider(lambda engine: find_all(engine, names, kinds, size=size))
    write_documents(state, documents, format)
    for error in missing:
        failures.report(error)
    return max(map(failures.exit_code, missing), default=0)


def write_documents(state: State, documents: Sequence[bytes], format: str) -> None:
    """Write an engine's documents as a JSON array, or fill a template in for each."""
    if not format:
        print_document(json_document(b"[" + b",".join(documents) + b"]"), plain=state.json)
        return
    from pyd_tui.console.listing import write_filled

    write_filled(format, [msgspec.json.decode(document) for document in documents], {}, absent=OMITTED)


async def find_all(
    engine: Provider, names: Sequence[str], kinds: Sequence[str], *, size: bool = False
) -> tuple[list[bytes], list[PydError]]:
    """Return the documents of the named objects, and an error for each name without an object."""
    documents: list[bytes] = []
    missing: list[PydError] = []
    for name in names:
        try:
            documents.append(await find(engine, name, kinds, size=size))
        except NotFound as error:
            missing.append(error)
    return documents, missing


async def find(engine: Provider, name: str, kinds: Sequence[str], *, size: bool = False) -> bytes:
    """Return the engine's JSON of the first kind that has an object of this name.

    Raises:
        NotFound: No kind has one.
        Ambiguous: The name is a prefix of several containers' ids.
    """
    first: NotFound | None = None
    for kind in kinds:
        try:
            return await _inspect(engine, kind, name, size=size)
        except NotFound as error:
            first = first or error
    if len(kinds) == 1 and first is not None:
        raise first
    raise NotFound(
        f"no such object: {name}",
        nearest=first.nearest if first else (),
        hint=first.hint if first and first.nearest else "no container, image, network or volume has this name",
        reference="no-such-object",
    )


async def _inspect(engine: Provider, kind: str, name: str, *, size: bool) -> bytes:
    from pyd_core.client.provider import engine_of, images_of

    if kind == "image":
        return await images_of(engine).inspect_raw(name)
    if kind == "network":
        return await engine_of(engine).networks.inspect_raw(name)
    if kind == "volume":
        return await engine_of(engine).volumes.inspect_raw(name)
    from pyd_core.client.names import resolve_container

    return await engine.containers.inspect_raw((await resolve_container(engine, name)).id, size=size)
