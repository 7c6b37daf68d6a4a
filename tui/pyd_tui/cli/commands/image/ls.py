"""`pyd images`, or `pyd image ls`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from pyd_core.humanize import docker_duration
from pyd_core.model.image import ImageSummary
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, list_options
from pyd_tui.console.render.docker_words import spell_size, spell_time

NONE = "<none>"
SHORT_ID_CHARS = 12


def short_id(identity: str) -> str:
    """Return the short form of an image's id."""
    return identity.removeprefix("sha256:")[:SHORT_ID_CHARS]


def _fields(row: tuple[ImageSummary, str, str, str], full: bool) -> Mapping[str, Any]:
    image, repository, tag, digest = row
    return {
        "Containers": "N/A" if image.containers < 0 else str(image.containers),
        "CreatedAt": spell_time(image.created),
        "CreatedSince": f"{docker_duration(time.time() - image.created)} ago" if image.created else "N/A",
        "Digest": digest,
        "ID": image.id if full else short_id(image.id),
        "Repository": repository,
        "SharedSize": "N/A" if image.shared_size < 0 else spell_size(image.shared_size),
        "Size": spell_size(image.size),
        "Tag": tag,
        "UniqueSize": "N/A",
        "VirtualSize": spell_size(image.size),
    }


TITLES = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
}


@click.command(
    "images",
    cls=PydCommand,
    examples=(
        ("pyd images", "list images, intermediate ones excluded"),
        ("pyd images -f dangling=true", "list untagged images"),
        ("pyd images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", "format rows with a template"),
    ),
)
@click.argument("name", required=False, type=ImageName(), metavar="[REPOSITORY[:TAG]]")
@click.option("-a", "--all", is_flag=True, help="List intermediate images too.")
@click.option("--digests", is_flag=True, help="Show digests.")
@click.option("--tree", is_flag=True, hidden=True, expose_value=False, help="No effect.")
@list_options
@pass_state
def command(
    state: State,
    /,
    *,
    name: str | None,
    all: bool,
    digests: bool,
    filters: tuple[str, ...],
    quiet: bool,
    full: bool,
    format: str,
) -> None:
    """List images."""
    selected = parse_filters([*filters, *([f"reference={name}"] if name else [])])
    from pyd_core.client.provider import images_of

    images = state.ask_provider(lambda engine: images_of(engine).list(all=all, filters=selected))
    if state.json and not quiet and not format:
        from pyd_tui.console.output import write_json

        write_json(images)
        return
    shown = ["Repository", "Tag", *(["Digest"] if digests else []), "ID", "CreatedSince", "Size"]
    listing = TableListing(fields=_fields, titles=TITLES, shown=shown, right=frozenset({"Size"}))
    rows = [row for image in sorted(images, key=lambda image: -image.created) for row in _rows(image, digests=digests)]
    if quiet and not format:
        rows = list({row[0].id: row for row in rows}.values())
    listing.write(state, rows, quiet=quiet, full=full, format=format)


def _rows(image: ImageSummary, *, digests: bool) -> list[tuple[ImageSummary, str, str, str]]:
    """Return a row for each name of an image."""
    digest_by_repository = {text.partition("@")[0]: text.partition("@")[2] for text in image.repo_digests}
    rows = []
    for text in image.repo_tags:
        repository, _, tag = text.rpartition(":")
        rows.append((image, repository, tag, digest_by_repository.get(repository, NONE)))
    if not rows:
        repositories = list(digest_by_repository.items()) if digests or digest_by_repository else []
        rows = [(image, repository, NONE, digest) for repository, digest in repositories if repository != NONE]
    return rows or [(image, NONE, NONE, NONE)]
