"""`su`: a shell of another user in the same target."""

from __future__ import annotations

import click

from pyd_core.debug.sessions.credentials import check_identity
from pyd_tui.shell.builtins.named import IdentityName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "su",
    cls=BuiltinCommand,
    json=False,
    examples=(
        ("su target", "the main process's user and rights, to see what it can and can't do"),
        ("su 1000:1000", "any user"),
        ("su", "root; 'exit' returns"),
    ),
)
@click.argument("who", type=IdentityName(), metavar="[target|root|tracer|UID[:GID]]", default="root")
@pass_shell
def command(shell: ShellContext, /, *, who: str) -> None:
    """Open a shell of another user in the same directory; its variables and functions end with it.

    `exit` returns to the previous shell, with its jobs and variables.
    """
    interactive_shell = shell.interactive()
    check_identity(who)
    interactive_shell.switch(who)
