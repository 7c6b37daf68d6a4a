"""`su`: the same place, as somebody else."""

from __future__ import annotations

import click

from pyd_core.debug.credentials import check_identity
from pyd_tui.shell.builtins.named import IdentityName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "su",
    cls=BuiltinCommand,
    json=False,
    examples=(
        ("su target", "with the user and rights of the main process, to see what it can and can't"),
        ("su 1000:1000", "as any user"),
        ("su", "as root; 'exit' goes back"),
    ),
)
@click.argument("who", type=IdentityName(), metavar="[target|root|tracer|UID[:GID]]", default="root")
@pass_shell
def command(shell: ShellContext, /, *, who: str) -> None:
    """Open a shell of another user in the same folder; what it exports and defines ends with it.

    `exit` goes back to the shell before, with its jobs and variables.
    """
    interactive_shell = shell.interactive()
    check_identity(who)
    interactive_shell.switch(who)
