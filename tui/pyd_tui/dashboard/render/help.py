"""The help screen, built from the active keys and the command table."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from pyd_tui.dashboard.input.commands import COMMANDS
from pyd_tui.dashboard.input.key_bindings import Keys, shown
from pyd_tui.dashboard.input.keymap import TITLES, Scope
from pyd_tui.dashboard.render.help_provider import ENGINE, HelpProvider
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width

KEY_COLUMNS = 9
"""Terminal columns of the keys, at least."""
MAX_KEY_COLUMNS = 16
"""Terminal columns that keys and names of commands take at most next to their effects."""
MIN_TWO_COLUMN_WIDTH = 112
"""Terminal columns from which on help has two columns."""

Row = tuple[str, str, str]
"""Keys or a command; its effect; and the arguments that follow a command."""
Section = tuple[str, list[Row]]


def sections(keys: Keys, first: Sequence[Scope] = (), provider: HelpProvider = ENGINE) -> list[Section]:
    """Return titles and their rows: key scopes, those of `first` first, commands, the user's own commands."""
    ordered: list[Scope] = [*dict.fromkeys((*first, *TITLES))]
    result: list[Section] = [(TITLES[scope], _rows(keys, scope, provider)) for scope in ordered]
    commands = [
        (name, provider.effect(command), command.usage.removeprefix(name).strip())
        for name, command in COMMANDS.items()
        if provider.has_command(name)
    ]
    result.append(("Commands, behind :", commands))
    by_name = {name: shown(key) for key, name in keys.own.items()}
    own = [
        (" ".join(part for part in (by_name.get(command.name, ""), f":{command.name}") if part), command.help)
        for command in keys.commands
    ]
    if own:
        result.insert(0, ("Your commands", [(written, does or "your own", "") for written, does in own]))
    return result


def help_lines(
    room: int, keys: Keys, query: str = "", first: Sequence[Scope] = (), provider: HelpProvider = ENGINE
) -> list[Cell]:
    """Return the help screen's lines for a width.

    Args:
        room: The width in terminal columns.
        keys: The effective keys.
        query: Show only rows that contain all these words.
        first: The scopes to begin with: those of the screen that help was asked on.
        provider: The provider; what it lacks is left out.
    """
    words = query.casefold().split()
    matches = [
        (title, [row for row in rows if all(word in f"{title} {' '.join(row)}".casefold() for word in words)])
        for title, rows in sections(keys, first, provider)
    ]
    single = room < MIN_TWO_COLUMN_WIDTH or bool(words)
    half = room // 2 - 1
    drawn = [_section(title, rows, room if single else half) for title, rows in matches if rows]
    if not drawn:
        return [EMPTY, cell("  no key or command has these words", "dim")]
    if single:
        return [line for section in drawn for line in section]
    left: list[Cell] = []
    right: list[Cell] = []
    for section in drawn:  # in order: the keys of the screen come first
        (left if len(left) <= len(right) else right).extend(section)
    height = max(len(left), len(right))
    left += [EMPTY] * (height - len(left))
    right += [EMPTY] * (height - len(right))
    return [(*fit(left_line, half), *fit(right_line, half)) for left_line, right_line in zip(left, right, strict=True)]


def _rows(keys: Keys, scope: Scope, provider: HelpProvider) -> list[Row]:
    return [(*provider.row(scope, key), "") for key in keys.of(scope) if key.help and provider.has_key(scope, key)]


def _section(title: str, rows: Sequence[Row], room: int) -> list[Cell]:
    lines: list[Cell] = [EMPTY, (Span("  "), Span(title, "title"))]
    longest = max(width(cell(written)) for written, _, _ in rows)
    column = max(KEY_COLUMNS, longest + 2 if longest <= MAX_KEY_COLUMNS else 0)
    indent = Span(" " * (column + 2))
    for written, does, more in rows:
        left, first, *others = cell(written, "accent"), *(textwrap.wrap(does, max(20, room - column - 2)) or [""])
        if width(left) < column:
            lines.append((Span("  "), *fit(left, column), *cell(first)))
        else:
            lines += [(Span("  "), *left), (indent, *cell(first))]
        lines += [(indent, *cell(line)) for line in others]
        if more and width(lines[-1]) + len(more) + 2 <= room:
            lines[-1] = (*lines[-1], Span("  "), *cell(more, "dim"))
        elif more:
            lines += [(indent, *cell(line, "dim")) for line in textwrap.wrap(more, max(20, room - column - 2))]
    return lines
