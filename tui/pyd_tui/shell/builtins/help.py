"""`help`: how the shell works."""

from __future__ import annotations

from typing import Any

import click

from pyd_core.errors import NotFound
from pyd_tui.console.output import write
from pyd_tui.shell.builtin_table import BUILTINS, load
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

TEXT = """\
You are in {name}: / is its root, and its processes,
network and users are what you see. Its own programs come first, tools are added
behind them. Lines run in one bash; cd, export, functions, pipes, & and fg work.

  builtins        commands of this shell that look at the container from outside;
                  NAME --help explains one
  @TOOL           the tool of that name, where a builtin or the container has one
  whence COMMAND  which of them a command is
  su target       the same place with the rights of its main process
  ps | grep x     what a builtin prints, through programs of either

  Tab completes files, users, processes and commands of the container; ctrl-r
  searches what you typed here before, Alt-Enter runs a line that seems
  unfinished. A line that begins with a blank isn't remembered. Leave with exit
  or ctrl-d.
"""


class BuiltinName(click.ParamType[str]):
    """The name of a builtin."""

    name = "builtin"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Complete from the table."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        return [
            CompletionItem(name, help=each.summary) for name, each in BUILTINS.items() if name.startswith(incomplete)
        ]


@click.command(
    "help",
    cls=BuiltinCommand,
    json=False,
    examples=(("help", "the shell in ten lines"), ("help sockets", "one of its builtins")),
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
    found = load(builtin)
    with found.make_context(builtin, [], resilient_parsing=True) as context:
        write(found.get_help(context) + "\n")
