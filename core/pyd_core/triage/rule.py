"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pyd_core.triage.causes import CAUSES, Cause
from pyd_core.triage.evidence import Case, Item


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule holds to be so."""

    cause: str
    confidence: float
    """0 to 1, before what couldn't be read is taken into account."""
    evidence: tuple[Item, ...]
    summary: str
    """One sentence about this container, without its name at the start: `was stopped …`."""
    advice: tuple[str, ...] = ()
    """Commands and steps, most useful first; `{name}` is filled in."""

    @property
    def about(self) -> Cause:
        """The cause in general."""
        return CAUSES[self.cause]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A declared rule.

    Attributes:
        cause: The cause it may conclude.
        needs: The sources it stands on; its confidence drops for each that couldn't be read.
        says: When it fires, in one sentence, for the rule table.
        test: The rule itself: None when it doesn't fire.
    """

    cause: str
    needs: tuple[str, ...]
    says: str
    test: Callable[[Case], Conclusion | None]


class RuleBook:
    """The rules of one family, declared with a decorator."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def rule(self, cause: str, *, needs: tuple[str, ...], says: str) -> Callable[[_Test], _Test]:
        """Declare the decorated function as a rule for `cause`."""
        if cause not in CAUSES:
            raise ValueError(cause)

        def declare(test: _Test) -> _Test:
            self.rules.append(Rule(cause=cause, needs=needs, says=says, test=test))
            return test

        return declare


_Test = Callable[[Case], Conclusion | None]
