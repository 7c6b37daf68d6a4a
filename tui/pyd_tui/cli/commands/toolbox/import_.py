"""`pyd toolbox import`."""

from __future__ import annotations

from pathlib import Path

import click

from pyd_tui.cli.debug.toolbox import run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "import", cls=PydCommand, examples=(("pyd toolbox import tools.tar.gz", "import an archive of pyd toolbox export"),)
)
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@pass_state
def command(state: State, /, *, path: Path) -> None:
    """Import a toolbox from a tar archive, for all later sessions."""
    from pyd_core.debug.toolbox import manage

    run_with_progress(state, lambda progress: manage.import_archive(path, progress))
