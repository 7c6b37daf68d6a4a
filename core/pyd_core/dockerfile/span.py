"""Ranges of lines in a Dockerfile."""

from __future__ import annotations

import msgspec


class LineSpan(msgspec.Struct, frozen=True, order=True):
    """Lines of an instruction, from 1, both included."""

    start: int
    end: int


NOWHERE = LineSpan(0, 0)
"""LineSpan of instructions that aren't in the file, such as the triggers of a base image."""
