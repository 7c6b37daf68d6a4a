"""`cgroup`: the target's resource use against its limits."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.cgroup import CgroupFacts, read_cgroup
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="RESOURCE"),
    TableColumn(title="NOW", right=True),
    TableColumn(title="LIMIT", right=True),
    TableColumn(title=""),
)
_HIGH_THROTTLED_SHARE = 0.05
"""Share of throttled periods from which on they are highlighted."""


@click.command(
    "cgroup",
    cls=BuiltinCommand,
    examples=(("cgroup", "memory, processor, processes, disk"), ("cgroup --json | jq .throttled", "for programs")),
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Show the target's use of memory, processor and processes, its limits, and how often it hit them."""
    facts = read_cgroup(shell.access)
    if shell.json:
        write_json(facts)
        return
    write_table(
        COLUMNS,
        [[Cell(name), Cell(now), Cell(limit), Cell(note, style)] for name, now, limit, note, style in _lines(facts)],
    )


def _lines(facts: CgroupFacts) -> list[tuple[str, str, str, str, str]]:
    def number(value: int | None) -> str:
        return "?" if value is None else str(value)

    def sized(value: int | None) -> str:
        return "?" if value is None else size(value)

    kills, refused = facts.oom_kills or 0, facts.pids_refused or 0
    memory = f"{sized(facts.cache)} of it cache that can be dropped; peak {sized(facts.memory_peak)}"
    hits = f"limit hit {number(facts.memory_refused)} times"
    lines = [
        ("memory", sized(facts.memory), sized(facts.memory_limit) if facts.memory_limit else "none", memory, ""),
        ("killed for memory", number(facts.oom_kills), "", hits, "bold red" if kills else ""),
        (
            "processor",
            "?" if facts.cpu_seconds is None else f"{facts.cpu_seconds:.1f} s",
            "none" if facts.cpu_limit is None else f"{facts.cpu_limit:g} CPU",
            "",
            "",
        ),
        (
            "throttled",
            number(facts.throttled),
            "",
            f"{facts.throttled_share:.0%} of {number(facts.periods)} periods, {facts.throttled_seconds or 0:.1f} s",
            "bold red" if facts.throttled_share > _HIGH_THROTTLED_SHARE else "",
        ),
        (
            "processes",
            number(facts.pids),
            "none" if facts.pids_limit is None else str(facts.pids_limit),
            f"refused {refused} times" if refused else "",
            "bold red" if refused else "",
        ),
        ("disk", sized(facts.read), "", f"read; {sized(facts.written)} written", ""),
    ]
    if facts.swap:
        lines.append(("swap", size(facts.swap), "", "", ""))
    if facts.pressure:
        shares = ", ".join(f"{kind} {share:g} %" for kind, share in facts.pressure.items())
        lines.append(("waiting", "", "", f"in the last minute: {shares}", ""))
    return lines
