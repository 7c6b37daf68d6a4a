"""Edits of single lines, from which fixes are made."""

from __future__ import annotations

import re

from pyd_core.dockerfile.checks.finding import Fix
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.tree import DockerfileTree, InstructionNode

MAX_PASSES = 50
"""Limit for rounds of fixes: each round may reveal findings that the lines before hid."""


def replace_in_line(tree: DockerfileTree, number: int, old: str, new: str) -> Fix | None:
    """Return a fix that replaces a word in a line, or None unless the word is there exactly once."""
    line = tree.lines[number - 1]
    pattern = re.compile(rf"(?<!\S){re.escape(old)}(?!\S)")
    if len(pattern.findall(line)) != 1:
        return None
    return Fix(LineSpan(number, number), (pattern.sub(lambda _: new, line),))


def replace_keyword(tree: DockerfileTree, node: InstructionNode, new: str) -> Fix | None:
    """Return a fix that replaces an instruction's keyword."""
    number = node.span.start
    line = tree.lines[number - 1]
    indent = len(line) - len(line.lstrip())
    if not line[indent:].startswith(node.keyword):
        return None
    return Fix(LineSpan(number, number), (line[:indent] + new + line[indent + len(node.keyword) :],))


def apply_fixes(lines: list[str], fixes: list[Fix]) -> list[str]:
    """Return lines with fixes applied from the last line to the first; of overlapping fixes only one is applied."""
    result = list(lines)
    first_changed = len(lines) + 1
    for fix in sorted(fixes, key=lambda item: item.span, reverse=True):
        if fix.span.end < first_changed:
            result[fix.span.start - 1 : fix.span.end] = fix.lines
            first_changed = fix.span.start
    return result
