"""Rules and their conclusions."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pyd_core.triage.causes import CAUSES, Cause
from pyd_core.triage.evidence import Case, Item


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's conclusion about a container."""

    cause: str
    confidence: float
    """0 to 1, before unavailable sources are taken into account."""
    evidence: tuple[Item, ...]
    summary: str
    """A sentence about this container without its name: `was stopped …`."""
    reason: str = ""
    """The most specific part in a few words, for lists: `QUEUE_URL is not set`."""
    advice: tuple[str, ...] = ()
    """Commands and steps, most useful first; `{name}` is filled in."""

    @property
    def about(self) -> Cause:
        """The general cause."""
        return CAUSES[self.cause]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A declared rule.

    Attributes:
        cause: The cause it may conclude.
        needs: The sources it depends on; its confidence drops for each that couldn't be read.
        says: The condition of the rule in one sentence, for the table of rules.
        test: The test function, which returns None if the rule doesn't fire.
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
        """Declare the decorated function to be a rule for `cause`."""
        if cause not in CAUSES:
            raise ValueError(cause)

        def declare(test: _Test) -> _Test:
            self.rules.append(Rule(cause=cause, needs=needs, says=says, test=test))
            return test

        return declare


_Test = Callable[[Case], Conclusion | None]
