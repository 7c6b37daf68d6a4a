"""`pyd ps`, or `pyd container ls`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import click

from pyd_core.model.container import ContainerSummary
from pyd_tui.console.columns import write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import filter_option, parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import on_terminal, write, write_json
from pyd_tui.console.render.containers import SHORT_ID, cells, columns, row


@dataclass(frozen=True, slots=True, kw_only=True)
class PsOptions:
    """Options of `pyd ps`.

    Attributes:
        all: Include stopped containers.
        quiet: Print only ids.
        last: The number of newest containers to list, whatever their state; 0 is no limit.
        filters: The values of `--filter`.
        full: Shorten nothing.
        size: Add the size of the writable layer.
        format: `table`, `json`, a template, or `table` and a template; empty is pyd's own table.
    """

    all: bool = False
    quiet: bool = False
    last: int = 0
    filters: tuple[str, ...] = ()
    full: bool = False
    size: bool = False
    format: str = ""


@click.command(
    "ps",
    cls=PydCommand,
    examples=(
        ("pyd ps", "list running containers"),
        ("pyd ps -a", "list all, with exit codes and, where a recorder runs, causes of death"),
        ("pyd ps -a -f status=exited -f label=tier=web", "list those that match filters"),
        ("pyd rm $(pyd ps -qa -f status=exited)", "pass ids to another command"),
        ("pyd ps --format 'table {{.Names}}\\t{{.Status}}'", "format rows with a template"),
        ("pyd ps --json", "list them for programs"),
    ),
)
@click.option("-a", "--all", is_flag=True, help="List stopped containers too.")
@click.option("-q", "--quiet", is_flag=True, help="Print only ids.")
@click.option("-l", "--latest", is_flag=True, help="List only the newest container, whatever its state.")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="List only the N newest containers, whatever their state.",
)
@filter_option
@click.option("--no-trunc", "full", is_flag=True, help="Don't truncate output; add command and id.")
@click.option("-s", "--size", is_flag=True, help="Add the size of the writable layer; slow.")
@click.option(
    "--format",
    default="",
    metavar="TEMPLATE",
    help="table, json, a Go template, or `table` and a template: 'table {{.Names}}\\t{{.Status}}'.",
)
@pass_state
def command(state: State, /, *, latest: bool, last: int, **values: Any) -> None:
    """List containers."""
    options = PsOptions(last=1 if latest else last, **values)
    show_containers(state, options)


def show_containers(state: State, options: PsOptions) -> None:
    """Print the engine's containers."""
    filters = parse_filters(options.filters)
    include_all = options.all or bool(options.last)
    sized = options.size or ".Size" in options.format
    containers = state.ask_provider(
        lambda engine: engine.containers.list(all=include_all, filters=filters, size=sized, limit=options.last or None)
    )
    if options.format not in {"", "table"}:
        from pyd_tui.console.listing import write_filled
        from pyd_tui.console.render.placeholders import TITLES, placeholders

        rows = [placeholders(container, full=options.full, sized=sized) for container in containers]
        write_filled(options.format, rows, TITLES)
        return
    if options.quiet:
        write("".join(f"{_shown_id(container, full=options.full)}\n" for container in containers))
        return
    now = time.time()
    causes = _causes(containers, now) if include_all else None
    if state.json:
        write_json(
            [row(container, sized=options.size, cause=(causes or {}).get(container.id)) for container in containers]
        )
    else:
        lines = cells(
            containers, now=now, size=options.size, full=options.full, short_digests=on_terminal(), causes=causes
        )
        write_table(columns(size=options.size, full=options.full, dead=include_all), lines)


def _causes(containers: list[ContainerSummary], now: float) -> dict[str, str]:
    """Return why exited containers ended, where a recorder knows."""
    if all(container.state != "exited" for container in containers):
        return {}
    from pyd_core.watch.exit_reasons import recorded_reasons
    from pyd_core.watch.history_path import default_path

    return recorded_reasons(default_path(), containers, now=now)


def _shown_id(container: ContainerSummary, *, full: bool) -> str:
    return container.id if full else container.id[:SHORT_ID]
