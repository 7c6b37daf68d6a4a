"""A container's environment, with likely secrets masked."""

from __future__ import annotations

import re

from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, width, wrap

MASK = "••••••••"
"""Equally long for every value, since a secret's length is part of it."""
MAX_NAME_COLUMNS = 40
"""Terminal columns the names may take before they push the values aside."""
MIN_VALUE_COLUMNS = 10
"""Terminal columns to which values are wrapped on a narrow screen."""

_SECRET_WORDS = frozenset(
    {"key", "apikey", "auth", "pass", "pw", "pwd", "cookie", "salt", "credential", "credentials", "private", "dsn"}
)
_SECRET_PARTS = re.compile("passw|passphrase|secret|token|accesskey|privatekey", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^/\s:@]*:)(?P<password>[^\s/]+)(?=@)", re.IGNORECASE)


def looks_secret(name: str) -> bool:
    """Return whether a variable's name suggests that its value is secret."""
    words = name.casefold().replace("-", "_").replace(".", "_").split("_")
    return bool(_SECRET_PARTS.search(name)) or not _SECRET_WORDS.isdisjoint(words)


def env(variables: list[str], *, unmasked: bool, room: int) -> list[Cell]:
    """Return the variables, sorted by name, with long values wrapped to a width; passwords in URLs are masked too."""
    if not variables:
        return nothing("no environment variables are set")
    pairs = sorted((name, value) for name, _, value in (entry.partition("=") for entry in variables))
    columns = min(MAX_NAME_COLUMNS, max(len(safe(name)) for name, _ in pairs)) + 2
    lines: list[Cell] = [EMPTY]
    hidden = 0
    for name, value in pairs:
        pieces = _value(name, value, unmasked=unmasked)
        hidden += any(piece.text == MASK for piece in pieces)
        label = cell(name, "accent")
        values = wrap(pieces, max(MIN_VALUE_COLUMNS, room - columns - 1)) or [EMPTY]
        head: Cell = (Span(" "), *fit(label, columns))
        if width(label) >= columns:
            head = (Span(" "), *label, Span("  "))
            if width((*head, *pieces)) > room:  # the value begins below its name
                lines.append(head)
                head = (Span(" " * (columns + 1)),)
        for value_line in values:
            lines.append((*head, *value_line))
            head = (Span(" " * (columns + 1)),)
    if hidden:
        lines += [EMPTY, (Span(f" {hidden} masked, ", "dim"), Span("H", "accent"), Span(" shows them", "dim"))]
    return lines


def mask_text(text: str) -> str:
    """Return a text with the passwords in URLs masked."""
    return _URL_PASSWORD.sub(lambda match: match["head"] + MASK, text)


def mask_words(text: str) -> Cell:
    """Return a command line with likely secrets masked: `--password=VALUE`, and passwords in URLs."""
    return tuple(
        piece
        for index, word in enumerate(text.split(" "))
        for piece in ((Span(" "), *masked(word)) if index else masked(word))
    )


def has_secret(text: str) -> bool:
    """Return whether a text has a likely secret: `NAME=VALUE` with a telling name, or a URL with a password."""
    return any(
        piece.text == MASK for line in text.splitlines() for piece in masked(line.strip().strip(',"')) if line.strip()
    )


def masked(variable: str) -> Cell:
    """Return `NAME=VALUE` with a likely secret masked."""
    name, sets, value = variable.partition("=")
    if not sets or "://" in name:  # an argument: a URL may have a password and a query
        return _value("", variable, unmasked=False)
    return (*cell(name + sets), *_value(name, value, unmasked=False))


def _value(name: str, value: str, *, unmasked: bool) -> Cell:
    value = value.replace("\n", "␤")
    if unmasked or not value:
        return cell(value)
    if looks_secret(name):
        return (Span(MASK, "warn"),)
    pieces: list[Span] = []
    offset = 0
    for match in _URL_PASSWORD.finditer(value):
        pieces += (*cell(value[offset : match.start("password")]), Span(MASK, "warn"))
        offset = match.end()
    return (*pieces, *cell(value[offset:]))
