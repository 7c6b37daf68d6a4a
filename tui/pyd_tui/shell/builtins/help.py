"""`help`: an introduction to the shell."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.errors import NotFound
from pyd_tui.console.output import write
from pyd_tui.shell.builtin_table import BUILTINS, load
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

TEXT = """\
You are in {name}: you see its root, processes,
network and users. Its own programs come first on PATH, followed by the tools.
Lines run in one bash; cd, export, functions, pipes, & and fg work.

  builtins        this shell's commands, which inspect the container from outside;
                  NAME --help explains one
  @TOOL           the tool, where a builtin or the container has one of that name
  whence COMMAND  where a command comes from
  su target       the same shell with the rights of the main process
  ps | grep x     a builtin's output through the container's programs or tools

  Tab completes files, users, processes and commands of the container; ctrl-r
  searches the history, Alt-Enter runs a line that seems unfinished. Lines that
  start with a blank aren't recorded in the history. Leave with exit or ctrl-d.
"""


class BuiltinName(click.ParamType[str]):
    """The name of a builtin."""

    name = "builtin"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Complete from the table."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        return [
            CompletionItem(name, help=entry.summary) for name, entry in BUILTINS.items() if name.startswith(incomplete)
        ]


@click.command(
    "help",
    cls=BuiltinCommand,
    json=False,
    examples=(("help", "the shell in brief"), ("help sockets", "one of its builtins")),
)
@click.argument("builtin", required=False, type=BuiltinName())
@pass_shell
def command(shell: ShellContext, /, *, builtin: str | None) -> None:
    """Explain the shell, or one of its builtins."""
    if builtin is None:
        write(TEXT.format(name=shell.name))
        return
    if builtin not in BUILTINS:
        raise NotFound(f"no builtin {builtin!r}", hint="list them with: builtins; bash's own: bash -c 'help NAME'")
    builtin_command = load(builtin)
    with builtin_command.make_context(builtin, [], resilient_parsing=True) as context:
        write(builtin_command.get_help(context) + "\n")
