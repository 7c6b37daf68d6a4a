"""`entrypoint`: show, check, run or trace the target's start command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import click

from pyd_core.debug.inspectors.programs import ProgramUse, Start, examine_start, lint
from pyd_core.debug.inspectors.system_calls import parse_trace
from pyd_core.debug.inspectors.tools import lines_of, merged, of_target, swapped, timed, tool
from pyd_core.debug.toolbox import PREFIX
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import coloured, write, write_json
from pyd_tui.shell.builtins.trace import write_event
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

FINDINGS = (TableColumn(title="LEVEL"), TableColumn(title="ID"), TableColumn(title="PROBLEM", cut=60, wrap=True))
FACTS = (TableColumn(title="PROPERTY"), TableColumn(title="VALUE", cut=60, wrap=True))


@click.command(
    "entrypoint",
    cls=BuiltinCommand,
    examples=(
        ("entrypoint", "the command, its user and directory"),
        ("entrypoint --lint", "check for problems; exit code 1 if it can't start"),
        ("entrypoint --run", "run it again next to the target, as its user"),
        ("entrypoint --trace", "the same, with the files and programs it looks for"),
    ),
)
@click.option("--print", "mode", flag_value="print", default=True, help="Show the command (the default).")
@click.option("--lint", "mode", flag_value="lint", help="Check it for problems.")
@click.option("--run", "mode", flag_value="run", help="Run it in the target's view, as the target's user.")
@click.option("--trace", "mode", flag_value="trace", help="Run it under strace.")
@click.option("--seconds", type=float, metavar="N", help="Interrupt the program after N seconds.")
@pass_shell
def command(shell: ShellContext, /, *, mode: str, seconds: float | None) -> int:
    """Show the target's start command, check it for problems, run it again or trace it."""
    if mode == "lint":
        return _lint(shell)
    start, _ = examine_start(shell.access)
    if mode == "run":
        return _run(shell, start, seconds)
    if mode == "trace":
        return _trace(shell, start, seconds)
    if shell.json:
        write_json(start)
    else:
        write_table(FACTS, [[Cell(name, "bold"), Cell(value)] for name, value in _facts(start)])
    return 0


def _facts(start: Start) -> list[tuple[str, str]]:
    kinds = {"elf": "program", "script": "script", "directory": "directory", "plain": "neither program nor script"}
    by = f", by {start.interpreter}" if start.interpreter else ""
    return [
        ("command", shlex.join(start.argv)),
        ("ENTRYPOINT", shlex.join(start.entrypoint) or "none"),
        ("CMD", shlex.join(start.cmd) or "none"),
        ("found at", f"{start.program} ({kinds.get(start.kind, start.kind)}{by})" if start.program else "nowhere"),
        ("user", start.user),
        ("directory", start.working_dir),
        ("stop signal", start.stop_signal),
        ("init before it", "yes" if start.init else "no"),
    ]


def _lint(shell: ShellContext) -> int:
    problems = lint(shell.access)
    if shell.json:
        write_json(problems)
    elif not problems:
        click.echo("pyd: no problems found", err=True)
    else:
        write_table(FINDINGS, [_row(problem) for problem in problems])
        for problem in problems:
            if problem.advice:
                click.echo(f"hint: {problem.id}: {safe(problem.advice)}", err=True)
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _row(problem: ProgramUse) -> list[Cell]:
    return [
        Cell(problem.level, "bold red" if problem.level == "error" else "yellow"),
        Cell(problem.id),
        Cell(problem.text),
    ]


def _run(shell: ShellContext, start: Start, seconds: float | None) -> int:
    process = shell.access.start(merged(timed(of_target(start.argv), seconds)), identity="target")
    try:
        process.close_input()
        _write_lines(lines_of(process))
        code = process.finish().code
    except BaseException:
        process.end()
        raise
    click.echo(f"pyd: it ended with exit code {code}", err=True)
    return code


def _trace(shell: ShellContext, start: Start, seconds: float | None) -> int:
    """Trace the program: strace's lines go to stdout, the program's output to stderr."""
    strace = [tool("strace"), "-f", "-qq", "-ttt", "-s", "200", "-e", "trace=%file,execve,connect", "-e", "signal=all"]
    process = shell.access.start(swapped(timed([*strace, *merged(of_target(start.argv))], seconds)), identity="target")
    try:
        process.close_input()
        started = False
        for event in parse_trace(lines_of(process), 0):
            started = started or (event.call == "execve" and not event.error and PREFIX not in event.arguments)
            if started:  # earlier ones are the toolbox's own programs that start it
                write_event(event, json=shell.json)
        done = process.finish()
    except BaseException:
        process.end()
        raise
    _write_lines(done.stderr.decode(errors="replace").splitlines(keepends=True), prefix="output: ")
    click.echo(f"pyd: it ended with exit code {done.code}", err=True)
    return done.code


def _write_lines(lines: Iterable[str], *, prefix: str = "") -> None:
    for line in lines:
        write(f"{prefix}{safe(line.rstrip(chr(10)), colour=coloured())}\n")
