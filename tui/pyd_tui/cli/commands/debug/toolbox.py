"""`pyd toolbox`: what tools a debug shell brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import VerbGroup
from pyd_tui.console.output import write, write_json
from pyd_tui.text.sizes import size

Progress = Callable[[str, int, int], None]

PACK_COLUMNS = (TableColumn(title="", right=True), TableColumn(title="PACK"), TableColumn(title="WHAT", cut=20))
STORED_COLUMNS = (
    TableColumn(title="", right=True),
    TableColumn(title="TOOLBOX"),
    TableColumn(title="FOR"),
    TableColumn(title="SIZE", right=True),
)
FOUND_COLUMNS = (TableColumn(title="NAME"), TableColumn(title="WHAT", cut=20))


@click.group(
    "toolbox",
    cls=VerbGroup,
    examples=(
        ("pyd toolbox ls", "the packs, those that are installed marked"),
        ("pyd toolbox install net socat", "a pack and a Debian package, for all sessions from now on"),
        ("pyd toolbox export tools.tar.gz", "for a machine without a network"),
    ),
)
def command() -> None:
    """See and change what tools a debug shell brings."""


@command.command("ls", examples=(("pyd toolbox ls", "packs, and toolboxes on disk"),))
@pass_state
def show(state: State, /) -> None:
    """List the packs, and the toolboxes on disk."""
    from pyd_core.debug.toolbox.manage import stored  # noqa: PLC0415 - click loads this module for help too
    from pyd_core.debug.toolbox.selection import chosen  # noqa: PLC0415
    from pyd_debugimages.packs import BASE, PACKS  # noqa: PLC0415

    selection, toolboxes = chosen(), stored()
    have = (BASE.name, *selection.packs)
    if state.json:
        packs = [
            {"name": each.name, "summary": each.summary, "installed": each.name in have} for each in PACKS.values()
        ]
        write_json({"packs": packs, "packages": selection.packages, "toolboxes": toolboxes})
        return
    rows = [
        (Cell("*" if each.name in have else ""), Cell(each.name, "bold"), Cell(each.summary)) for each in PACKS.values()
    ]
    more = [(Cell("*"), Cell(name, "bold"), Cell("a Debian package")) for name in selection.packages]
    write_table(PACK_COLUMNS, [*rows, *more], hide_empty=False)
    write("\n")
    write_table(
        STORED_COLUMNS,
        [
            (Cell("*" if each.current else ""), Cell(each.name), Cell(each.machine), Cell(size(each.size)))
            for each in toolboxes
        ],
        hide_empty=False,
    )


@command.command(
    "install", examples=(("pyd toolbox install net", "a pack"), ("pyd toolbox install socat", "a package"))
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_state
def install(state: State, /, *, names: tuple[str, ...]) -> None:
    """Add packs or any Debian packages, for all sessions from now on."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    _told(state, lambda progress: manage.install(names, progress))


@command.command("uninstall", examples=(("pyd toolbox uninstall net", "sessions that run keep theirs"),))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_state
def uninstall(state: State, /, *, names: tuple[str, ...]) -> None:
    """Take packs or packages out again."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    _told(state, lambda progress: manage.uninstall(names, progress))


_machine = click.option(
    "--machine",
    type=click.Choice(["x86_64", "aarch64"]),
    help="For engines on such a machine; sessions there make it by themselves.",
)


@command.command(
    "build",
    examples=(
        ("pyd toolbox build", "what apt offers today"),
        ("pyd toolbox build --machine aarch64", "for an engine on an arm64 machine"),
    ),
)
@_machine
@pass_state
def build(state: State, /, *, machine: str | None) -> None:
    """Make the toolbox, anew if it is there and packages have changed."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    _told(state, lambda progress: manage.build(progress, machine or ""))


@command.command("search", examples=(("pyd toolbox search dns", "packs and packages"),))
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@pass_state
def search(state: State, /, *, words: tuple[str, ...]) -> None:
    """Find packs and Debian packages."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    found = manage.search(words)
    if state.json:
        write_json([{"name": name, "summary": summary} for name, summary in found])
    else:
        write_table(FOUND_COLUMNS, [(Cell(name), Cell(summary)) for name, summary in found])


@command.command("rm", examples=(("pyd toolbox rm base,net", "as pyd toolbox ls names it"),))
@click.argument("name", metavar="TOOLBOX")
@pass_state
def rm(state: State, /, *, name: str) -> None:
    """Remove a toolbox from disk; it is made again when it is needed."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    manage.remove(name)
    _answer(state, "removed", name)


@command.command("export", examples=(("pyd toolbox export tools.tar.gz", "the one that sessions have"),))
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@_machine
@pass_state
def export(state: State, /, *, path: Path, machine: str | None) -> None:
    """Write the toolbox to a tar, for a machine without a network."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    _told(state, lambda progress: manage.export(path, progress, machine or ""))


@command.command("import", examples=(("pyd toolbox import tools.tar.gz", "from pyd toolbox export"),))
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@pass_state
def bring_in(state: State, /, *, path: Path) -> None:
    """Take a toolbox from a tar; sessions have it from now on."""
    from pyd_core.debug.toolbox import manage  # noqa: PLC0415 - click loads this module for help too

    _told(state, lambda progress: manage.bring_in(path, progress))


def _told(state: State, work: Callable[[Progress], str]) -> None:
    """Does work that takes its time, and prints what came of it."""
    from pyd_tui.console.prompts import ProgressReporter  # noqa: PLC0415 - help and completion don't pay for it

    making = ProgressReporter()
    try:
        result = work(making)
    finally:
        making.stop()
    _answer(state, "toolbox", result)


def _answer(state: State, key: str, value: str) -> None:
    if state.json:
        write_json({key: value})
    else:
        write(f"{value}\n")
