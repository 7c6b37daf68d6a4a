"""`files`: list a directory of the target."""

from __future__ import annotations

import datetime as dt
import stat

import click

from pyd_core.debug.access import DirectoryEntry
from pyd_core.debug.inspectors.files import absolute, kind_of, read_names
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="MODE"),
    TableColumn(title="OWNER", rank=1),
    TableColumn(title="SIZE", right=True),
    TableColumn(title="CHANGED", rank=2),
    TableColumn(title="NAME", cut=30, wrap=True),
)
_STYLES = {"directory": "bold blue", "link": "cyan", "pipe": "yellow", "socket": "magenta"}


@click.command(
    "files",
    cls=BuiltinCommand,
    examples=(
        ("files", "the current directory"),
        ("files -S /var/log", "largest first"),
        ("files /etc/passwd --json", "one file, for programs"),
    ),
)
@click.argument("path", required=False, type=TargetPath(), metavar="[PATH]")
@click.option("-S", "by_size", is_flag=True, help="Sort by size, largest first.")
@click.option("-t", "by_time", is_flag=True, help="Sort by time, newest first.")
@pass_shell
def command(shell: ShellContext, /, *, path: str | None, by_size: bool, by_time: bool) -> None:
    """List files of the target with owner, size and time, even if it has no tools."""
    target_path = absolute(path or "", shell.cwd)
    access = shell.access
    entries = (
        list(access.list(target_path))
        if stat.S_ISDIR(access.stat(target_path).mode)
        else [access.stat(target_path, follow=False)]
    )
    entries.sort(key=lambda entry: (-entry.size if by_size else 0, -entry.changed if by_time else 0, entry.name))
    if shell.json:
        write_json(
            [
                {"kind": kind_of(entry), "mode_octal": f"{stat.S_IMODE(entry.mode):04o}", **_plain(entry)}
                for entry in entries
            ]
        )
        return
    users, groups = read_names(access, "/etc/passwd"), read_names(access, "/etc/group")
    write_table(COLUMNS, [_row(entry, users, groups) for entry in entries])


def _plain(entry: DirectoryEntry) -> dict[str, object]:
    return {field: getattr(entry, field) for field in entry.__struct_fields__}


def _row(entry: DirectoryEntry, users: dict[int, str], groups: dict[int, str]) -> list[Cell]:
    kind = kind_of(entry)
    changed = dt.datetime.fromtimestamp(entry.changed, tz=dt.UTC).astimezone()
    executable = kind == "file" and entry.mode & 0o111
    owner = f"{users.get(entry.uid, entry.uid)}:{groups.get(entry.gid, entry.gid)}"
    return [
        Cell(stat.filemode(entry.mode)),
        Cell(owner),
        Cell(size(entry.size) if kind == "file" else ""),
        Cell(f"{changed:%Y-%m-%d %H:%M}", "dim"),
        Cell(
            entry.name + (f" -> {entry.link}" if entry.link else ""), "green" if executable else _STYLES.get(kind, "")
        ),
    ]
