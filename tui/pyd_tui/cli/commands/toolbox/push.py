"""`pyd toolbox push`."""

from __future__ import annotations

import click

from pyd_tui.cli.debug.toolbox import machine_option, run_with_progress
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "push",
    cls=PydCommand,
    examples=(
        ("pyd toolbox push registry.example/tools", "push an image for pyd debug in Kubernetes"),
        ("pyd toolbox push registry.example/tools:1 --machine aarch64", "build the arm64 toolbox, and push both"),
    ),
)
@click.argument("reference", metavar="REGISTRY/NAME[:TAG]")
@machine_option
@pass_state
def command(state: State, /, *, reference: str, machine: str | None) -> None:
    """Push the toolbox to a registry as an image, for every architecture whose toolbox is built.

    `pyd debug` in a cluster then uses this image, unless --image names another.
    """
    from pyd_tui.cli.debug.toolbox_push import push_toolbox

    run_with_progress(state, lambda progress: push_toolbox(reference, machine or "", progress))
