"""JSON documents as foldable lines: highlighted, each with its path, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from pyd_tui.dashboard.render.env import mask_text, masked
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.render.pieces import Cell, Role, Span, cell

CLOSING_SUFFIX = "$"
"""Suffix of the key of a closing line; no path ends so."""
INDENT = 2
MAX_VALUE_CHARACTERS = 4096
"""Characters of a value that are drawn; copies have all of them."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENV = re.compile(
    r"\.(?:(?:Config|ContainerConfig|Spec\.TaskTemplate\.ContainerSpec)\.)?(?:Env|Cmd|Entrypoint|Args|Command)\[\d+\]"
)
"""Paths of variables and arguments, in which `NAME=VALUE` may be a secret."""


class DocumentLine(NamedTuple):
    """A line of a document.

    Attributes:
        key: Its path as jq writes it (`.Config.Env[0]`), with `CLOSING_SUFFIX` appended on closing lines.
        text: The drawn text.
        opens: Whether the lines below belong to it.
    """

    key: str
    text: Cell
    opens: bool


class _Number(str):
    """A number as the engine wrote it."""

    __slots__ = ()


_DECODER = msgspec.json.Decoder(float_hook=_Number)


def parse(body: bytes) -> Any:
    """Return the decoded document, or the error's text if it isn't JSON."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"no JSON: {error}"


def lay_out(value: Any, folded: Collection[str] = (), *, unmasked: bool = False) -> list[DocumentLine]:
    """Lay out a document as lines, keys in the engine's order.

    Args:
        value: The document.
        folded: Paths that are shown as one line.
        unmasked: Show secrets of the environment.
    """
    return list(_Layout(frozenset(folded), unmasked=unmasked).lines(value, "", "", 0, last=True))


def value_at(value: Any, key: str) -> str:
    """Return the value at a path as it is copied: text as it is, anything else as JSON."""
    for name, index in re.findall(
        r"""\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+|"(?:[^"\\]|\\.)*")\]""", key.rstrip(CLOSING_SUFFIX)
    ):
        value = value[name] if name else value[json.loads(index)]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=INDENT)


class _Layout:
    """The layout of one document, with the settings that hold for all of it."""

    def __init__(self, folded: frozenset[str], *, unmasked: bool) -> None:
        self._folded = folded
        self._unmasked = unmasked

    def lines(self, value: Any, path: str, label: str, depth: int, *, last: bool) -> Iterator[DocumentLine]:
        """Lay out a value.

        Args:
            value: The value at the path.
            path: Its path; empty for the document.
            label: Text before it.
            depth: Nesting depth.
            last: Whether it is the last of its siblings.
        """
        key = path or "."
        comma: Cell = () if last else (Span(",", "dim"),)
        head: Cell = (Span(" " * INDENT * depth), *((*cell(label, "accent"), Span(": ", "faint")) if label else ()))
        if not isinstance(value, dict | list) or not value:
            yield DocumentLine(key, (*head, *_scalar(value, path, unmasked=self._unmasked), *comma), opens=False)
            return
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        if key in self._folded:
            count = cell(f" {counted(len(value), 'entry', 'entries')} ", "dim")
            pieces = (*head, Span(f"{opening} ", "dim"), Span("…", "accent"), *count, Span(closing, "dim"), *comma)
            yield DocumentLine(key, pieces, opens=True)
            return
        yield DocumentLine(key, (*head, Span(opening, "dim")), opens=True)
        end = len(value) - 1
        if isinstance(value, dict):
            for index, (name, inner) in enumerate(value.items()):
                inner_path = f"{path}.{name}" if _PLAIN.fullmatch(name) else f"{path or '.'}[{json.dumps(name)}]"
                yield from self.lines(inner, inner_path, _quoted(name), depth + 1, last=index == end)
        else:
            for index, inner in enumerate(value):
                yield from self.lines(inner, f"{path or '.'}[{index}]", "", depth + 1, last=index == end)
        yield DocumentLine(
            key + CLOSING_SUFFIX, (Span(" " * INDENT * depth), Span(closing, "dim"), *comma), opens=False
        )


def _scalar(value: Any, path: str, *, unmasked: bool) -> Cell:
    if isinstance(value, _Number):
        return cell(value, "info")
    if isinstance(value, str):
        if not unmasked and _ENV.fullmatch(path):
            return (Span('"'), *masked(value), Span('"'))
        return cell(_quoted(value if unmasked else mask_text(value)))
    role: Role = "dim" if value is None or value in ({}, []) else "info"
    return cell(json.dumps(value), role)


def _quoted(text: str) -> str:
    return json.dumps(text[:MAX_VALUE_CHARACTERS], ensure_ascii=False) + (
        "…" if len(text) > MAX_VALUE_CHARACTERS else ""
    )
