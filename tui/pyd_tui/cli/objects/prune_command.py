"""The `prune` commands of all kinds of objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from pyd_tui.cli.objects import prune
from pyd_tui.console.command import Examples, PydCommand
from pyd_tui.console.filters import parse_filters
from pyd_tui.console.global_options import State


def prune_command(
    kinds: Sequence[str], help: str, examples: Examples, *, all_help: str = "", volumes: bool = False
) -> PydCommand:
    """Return a `prune` command.

    Args:
        kinds: The kinds of objects that it removes, of `prune.KINDS`.
        help: Its help text.
        examples: Command lines for its help.
        all_help: The help of `--all`; without it there is no such option.
        volumes: Whether `--volumes` adds volumes to the kinds.
    """

    def work(ctx: click.Context, /, *, force: bool, filters: Sequence[str], **flags: bool) -> None:
        include_all = flags.get("all", False)
        prune.run(
            ctx.ensure_object(State),
            [*kinds, *(["volumes"] if flags.get("volumes") else [])],
            force=force,
            filters=parse_filters(filters) or {},
            all=include_all,
            all_volumes=include_all and "volumes" in kinds,
        )

    params: list[click.Parameter] = [
        click.Option(["-f", "--force"], is_flag=True, help="Don't ask for confirmation."),
        click.Option(
            ["--filter", "filters"], multiple=True, metavar="NAME=VALUE", help="Filter objects, such as until=24h."
        ),
    ]
    if all_help:
        params.append(click.Option(["-a", "--all"], is_flag=True, help=all_help))
    if volumes:
        params.append(click.Option(["--volumes"], is_flag=True, help="Remove unused anonymous volumes too."))
    callback: Callable[..., None] = click.pass_context(work)
    return PydCommand(name="prune", callback=callback, params=params, help=help, examples=examples)
