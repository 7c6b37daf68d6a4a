"""`pyd completion`: scripts that make a shell complete commands, options and container names."""

from __future__ import annotations

import click

from pyd_core.errors import InvalidInput
from pyd_tui.console.command import PydCommand

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=PydCommand,
    json=False,
    examples=(
        ('eval "$(pyd completion bash)"', "for this shell; in ~/.bashrc for all shells"),
        ('eval "$(pyd completion zsh)"', "for zsh, in ~/.zshrc"),
        ("pyd completion fish > ~/.config/fish/completions/pyd.fish", "for fish"),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a completion script for a shell."""
    from click.shell_completion import get_completion_class

    from pyd_tui.cli.entry import root

    kind = get_completion_class(shell)
    if kind is None:
        raise InvalidInput(f"no completion for {shell}")
    click.echo(kind(root, {}, "pyd", "_PYD_COMPLETE").source())
