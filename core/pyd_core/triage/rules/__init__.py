"""The rules, one file per family."""

from __future__ import annotations

from pyd_core.triage.rule import Rule
from pyd_core.triage.rules import ending, faults, memory, program, starting, state

RULES: tuple[Rule, ...] = tuple(
    rule for family in (starting, memory, ending, faults, program, state) for rule in family.BOOK.rules
)
"""All rules about containers, in no particular order; `rules.pods` has those about pods of a cluster."""
