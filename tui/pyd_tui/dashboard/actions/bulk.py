"""Actions on several objects: confirmed once, run a few at a time, and reported for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pyd_core.bulk import Outcome, run_on_each
from pyd_tui.dashboard.screens.confirm import Confirm

if TYPE_CHECKING:
    from pyd_tui.dashboard.protocols import ActionHost

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BulkItem(Generic[Key]):
    """An object of an action.

    Attributes:
        key: Identifies the object.
        name: The object's name in questions and reports; hostile.
        run: Runs the action on the object.
    """

    key: Key
    name: str
    run: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction(Generic[Key]):
    """An action on several objects.

    Attributes:
        host: Runs the task and shows the dialogs.
        verb: Names the action, as in `remove`.
        done: Reports the action, as in `removed`.
        items: Returns the objects that still exist of these keys.
        on_started: Called with each key before the action runs.
        on_ended: Called with each key once the action has succeeded or failed.
        on_finished: Called with the keys of the failures once all are done.
        on_succeeded: Called with a report (`stopped web`) and the keys, if none failed.
    """

    host: ActionHost
    verb: str
    done: str
    items: Callable[[Sequence[Key]], list[BulkItem[Key]]]
    on_finished: Callable[[set[Key]], None]
    on_started: Callable[[Key], None] = lambda _: None
    on_ended: Callable[[Key], None] = lambda _: None
    on_succeeded: Callable[[str, list[Key]], None] = lambda _text, _keys: None

    def ask(self, question: str, names: Sequence[str], keys: Sequence[Key]) -> None:
        """Ask whether to run the action on these objects, and run it if the user agrees."""
        self.host.push_screen(Confirm(question, names), lambda yes: self.start(keys) if yes else None)

    def start(self, keys: Sequence[Key]) -> None:
        """Run the action on these objects in the background."""
        self.host.tasks.start(self._run(keys), name=self.verb)

    async def _run(self, keys: Sequence[Key]) -> None:
        items = self.items(keys)
        if not items:
            return
        for item in items:
            self.on_started(item.key)
        outcomes = await run_on_each(
            lambda item: item.run(), items, on_outcome=lambda done: self.on_ended(done.item.key)
        )
        self.on_finished({outcome.item.key for outcome in outcomes if outcome.error is not None})
        self._report(outcomes)

    def _report(self, outcomes: Sequence[Outcome[BulkItem[Key]]]) -> None:
        """Report the outcomes; where several objects were involved, offer to retry the failed ones."""
        failed = [outcome.item.key for outcome in outcomes if outcome.error is not None]
        first, *others = outcomes
        if not failed:
            text = f"{self.done} {len(outcomes) if others else first.item.name}"
            self.host.say(text, "good")
            self.on_succeeded(text, [outcome.item.key for outcome in outcomes])
        elif not others and first.error is not None:
            self.host.say(first.error.message, "bad", first.error.hint)
        else:
            from pyd_tui.dashboard.screens.report import ReportScreen  # noqa: PLC0415 - only when something failed

            report = ReportScreen(self.done, [(outcome.item.name, outcome.error) for outcome in outcomes])
            self.host.push_screen(report, lambda retry: self.start(failed) if retry else None)
