"""`stack`: the call stacks of a process."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.stacks import ThreadStack, read_stack
from pyd_core.sanitise import safe
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "stack", cls=BuiltinCommand, examples=(("stack", "of the main process"), ("stack 8 --json", "of another"))
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """Show the stacks of a process's threads, by py-spy, jattach, delve or gdb as fits, else eu-stack or the kernel."""
    result = read_stack(shell.access, process_of(shell, pid))
    if shell.json:
        write_json(result)
    else:
        write(describe(result))
    if result.advice:
        click.echo(f"hint: {result.advice}", err=True)


def describe(stack: ThreadStack) -> str:
    """Return stacks as text."""
    if stack.text:
        return "".join(f"{safe(line)}\n" for line in stack.text.splitlines())
    lines: list[str] = []
    for thread in stack.threads:
        waits = f", in {thread.waits_in}" if thread.waits_in else ""
        lines.append(f"thread {thread.tid} {safe(thread.name)}: {safe(thread.state)}{safe(waits)}")
        lines += [f"    {safe(frame)}" for frame in thread.kernel_stack]
    return "".join(f"{line}\n" for line in lines)
