"""Options and output that the `pyd toolbox` commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_tui.console.global_options import State

OnProgress = Callable[[str, int, int], None]
"""Takes the stage, the units done and their total."""

machine_option = click.option(
    "--machine",
    type=click.Choice(["x86_64", "aarch64"]),
    help="Architecture to build for; by default, this machine's.",
)


def run_with_progress(state: State, work: Callable[[OnProgress], str]) -> None:
    """Run a lengthy operation, report its progress, and print its result."""
    from pyd_tui.console.prompts import ProgressReporter

    progress = ProgressReporter()
    try:
        result = work(progress)
    finally:
        progress.stop()
    write_result(state, "toolbox", result)


def write_result(state: State, key: str, value: str) -> None:
    """Write a value, as text or as JSON under its key."""
    if state.json:
        write_json({key: value})
    else:
        write(f"{value}\n")
