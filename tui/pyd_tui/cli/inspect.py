"""`pyd inspect`: everything an engine tells of an object, as it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pyd_core.errors import NotFound, PydError
from pyd_tui.cli import failures
from pyd_tui.cli.names import ContainerName
from pyd_tui.cli.output import json_document, on_terminal, write
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import Verb

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine

KINDS = ("container", "image", "network", "volume")


@click.command(
    "inspect",
    cls=Verb,
    examples=(
        ("pyd inspect web", "a container; else an image, a network or a volume of that name"),
        ("pyd inspect --type image nginx:1.27", "only an image"),
        ("pyd inspect web | jq '.[0].State'", "one part of it"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="NAME...")
@click.option("--type", "kind", type=click.Choice(KINDS), help="Only objects of this kind.")
@click.option("-s", "--size", is_flag=True, help="With the sizes of a container; slow.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], kind: str | None, size: bool) -> int:
    """Show all there is to know about objects, as JSON: a list with one document each."""
    kinds = (kind,) if kind else KINDS
    documents, missing = state.ask(lambda engine: find_all(engine, names, kinds, size=size))
    show_document(json_document(b"[" + b",".join(documents) + b"]"), plain=state.json)
    for error in missing:
        failures.report(error)
    return max(map(failures.exit_code, missing), default=0)


def show_document(text: str, *, plain: bool) -> None:
    """Writes a JSON text, coloured on a terminal unless it is to be plain."""
    if on_terminal() and not plain:
        from rich.highlighter import JSONHighlighter  # noqa: PLC0415 - rich is for terminals
        from rich.text import Text  # noqa: PLC0415 - likewise

        from pyd_tui.cli.console import console  # noqa: PLC0415 - likewise

        shown = Text(text)
        JSONHighlighter().highlight(shown)
        console().print(shown, soft_wrap=True)
    else:
        write(text + "\n")


async def find_all(
    engine: Engine, names: Sequence[str], kinds: Sequence[str], *, size: bool = False
) -> tuple[list[bytes], list[PydError]]:
    """Returns the documents found, and an error for each name that none was found for."""
    documents: list[bytes] = []
    missing: list[PydError] = []
    for name in names:
        try:
            documents.append(await find(engine, name, kinds, size=size))
        except NotFound as error:
            missing.append(error)
    return documents, missing


async def find(engine: Engine, name: str, kinds: Sequence[str], *, size: bool = False) -> bytes:
    """Returns the engine's JSON of the first kind that has an object of this name.

    Raises:
        NotFound: None has.
        Ambiguous: The beginning of several containers' ids.
    """
    first: NotFound | None = None
    for kind in kinds:
        try:
            return await _one(engine, kind, name, size=size)
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


async def _one(engine: Engine, kind: str, name: str, *, size: bool) -> bytes:
    if kind == "image":
        return await engine.images.inspect_raw(name)
    if kind == "network":
        return await engine.networks.inspect_raw(name)
    if kind == "volume":
        return await engine.volumes.inspect_raw(name)
    from pyd_core.engine.names import resolve_container  # noqa: PLC0415 - only with an engine

    return await engine.containers.inspect_raw((await resolve_container(engine, name)).id, size=size)
