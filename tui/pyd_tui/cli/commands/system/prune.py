"""`pyd … prune`: remove what nobody uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from pyd_tui.cli import prune_objects
from pyd_tui.cli.filters import parse_filters
from pyd_tui.cli.global_options import State
from pyd_tui.console.command import Examples, Verb

FORCE = ("-f", "--force")
FILTER = ("--filter", "filters")


def _options(*, all_help: str = "", volumes: bool = False) -> list[click.Parameter]:
    options: list[click.Parameter] = [
        click.Option([*FORCE], is_flag=True, help="Don't ask."),
        click.Option([*FILTER], multiple=True, metavar="NAME=VALUE", help="Only what fits, such as until=24h."),
    ]
    if all_help:
        options.append(click.Option(["-a", "--all"], is_flag=True, help=all_help))
    if volumes:
        options.append(click.Option(["--volumes"], is_flag=True, help="Anonymous volumes too."))
    return options


def _verb(kinds: Sequence[str], text: str, examples: Examples, **options: Any) -> Verb:
    def work(ctx: click.Context, /, **given: Any) -> None:
        every = given.get("all", False)
        chosen = [*kinds, *(["volumes"] if given.get("volumes") else [])]
        prune_objects.run(
            ctx.ensure_object(State),
            chosen,
            force=given["force"],
            filters=parse_filters(given["filters"]) or {},
            all=every,
            all_volumes=every and "volumes" in kinds,
        )

    callback: Callable[..., None] = click.pass_context(work)
    return Verb(name="prune", callback=callback, params=_options(**options), help=text, examples=examples)


containers = _verb(
    ["containers"], "Remove all containers that don't run.", (("pyd container prune", "lists them and asks"),)
)
images = _verb(
    ["images"],
    "Remove images without a name, or all that no container uses.",
    (("pyd image prune -a --filter until=240h", "unused and older than ten days"),),
    all_help="All that no container uses.",
)
networks = _verb(["networks"], "Remove networks that nobody is on.", (("pyd network prune -f", "doesn't ask"),))
volumes = _verb(
    ["volumes"],
    "Remove volumes that no container uses.",
    (("pyd volume prune -a", "named ones too"),),
    all_help="Named ones too, not just anonymous ones.",
)
builds = _verb(
    ["builds"],
    "Remove what builders keep to be faster next time.",
    (("pyd builder prune -f", "doesn't ask"),),
    all_help="All of it, not just what nothing refers to.",
)
system = _verb(
    ["containers", "networks", "images", "builds"],
    "Remove containers that don't run, networks nobody is on, images without a name and caches of builds.",
    (("pyd system prune", "lists all of it and asks"), ("pyd system prune -a --volumes -f", "as much as can go")),
    all_help="All images that no container uses.",
    volumes=True,
)
