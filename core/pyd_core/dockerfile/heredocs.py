"""Here-documents of RUN, COPY and ADD: `<<NAME` and the lines up to NAME."""

from __future__ import annotations

import re

import msgspec

from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.errors import DockerfileError

_START = re.compile(r"\d*<<(-?)([^<]*)")
_AS_WRITTEN = ExpansionRules(keep_quotes=True, keep_escapes=True, keep_unset=True)
_UNQUOTED = ExpansionRules(keep_unset=True)
MAX_HEREDOCS = 100
"""Limit for an instruction."""


class HeredocStart(msgspec.Struct, frozen=True):
    """Start of a here-document."""

    name: str
    is_expanded: bool
    is_chomped: bool


def parse_start(word: str) -> HeredocStart | None:
    """Parse `<<NAME`, `<<-NAME` or `<<"NAME"`; return None for other words.

    Raises:
        DockerfileError: A quote in it isn't closed.
    """
    match = _START.fullmatch(word)
    if match is None or not match[2]:
        return None
    written = expand(match[2], {}, _AS_WRITTEN).words
    if len(written) != 1:
        return None
    unquoted = expand(match[2], {}, _UNQUOTED).words
    if len(unquoted) != 1:
        return None
    return HeredocStart(unquoted[0], is_expanded=written[0] == unquoted[0], is_chomped=match[1] == "-")


def starts_in(line: str) -> list[HeredocStart]:
    """Return the here-documents that a logical line starts, in order.

    Raises:
        DockerfileError: A quote in the line isn't closed, or there are too many.
    """
    words = expand(line, {}, _AS_WRITTEN).words
    starts = [start for word in words if (start := parse_start(word)) is not None]
    if len(starts) > MAX_HEREDOCS:
        raise DockerfileError(f"an instruction can have {MAX_HEREDOCS} here-documents")
    return starts
