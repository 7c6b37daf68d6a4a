"""Actions on containers from any screen: confirmed once, shown while they run, and reported for each."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.actions.bulk import BulkAction, BulkItem
from pyd_tui.dashboard.actions.catalogue import ACTIONS, Action, question, update
from pyd_tui.dashboard.actions.undo import UndoOffer
from pyd_tui.dashboard.engines.target import RowTarget

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.recreate import Changes, Recreated
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost
    from pyd_tui.dashboard.render.processes import ProcessRow

SetPending = Callable[[RowTarget, str], None]
"""Called with a container and its pending action; an empty word ends it."""
OnFailures = Callable[[set[RowTarget]], None]
"""Called with the containers that the action failed for."""


class ContainerActions:
    """The actions that keys and commands run on containers.

    Args:
        dashboard: The app.
    """

    def __init__(self, dashboard: ActionHost) -> None:
        self._dashboard = dashboard
        self.recreated: list[tuple[EngineClient, Recreated]] = []
        """Recreated containers whose old ones are kept, the latest last."""

    # Several containers

    def do(
        self, action: Action, targets: Sequence[RowTarget], set_pending: SetPending, on_failures: OnFailures
    ) -> None:
        """Run an action on containers; ask first where it can't be undone, or where there are several.

        Args:
            action: The action.
            targets: The containers.
            set_pending: Called with each container's pending action.
            on_failures: Called with the containers that it failed for.
        """
        known = _entries(targets)
        entries = {target: entry for target, entry in known.items() if action.applies(entry)}
        if known and not entries:
            self._say_unsuited(action, [*known.values()])
        if not entries or not self._dashboard.may_change(*{target.link for target in entries}):
            return
        bulk = BulkAction(
            host=self._dashboard,
            verb=action.verb,
            done=action.done,
            items=lambda keys: self._items(action, keys),
            on_started=lambda target: set_pending(target, action.doing),
            on_ended=lambda target: set_pending(target, ""),
            on_finished=on_failures,
            on_succeeded=lambda text, done: self._offer_undo(action, text, done, set_pending),
        )
        if self._asks(action, len(entries)):
            names = [self._name(target, entry) for target, entry in entries.items()]
            skipped = [entry for target, entry in known.items() if target not in entries]
            bulk.ask(f"{_question(action, entries, names[0])}{_about_skipped(action, skipped)}", names, [*entries])
        else:
            bulk.start([*entries])

    def _asks(self, action: Action, count: int) -> bool:
        """Return whether an action asks first, as the settings say."""
        if action.asks or count > 1:
            return True
        match self._dashboard.startup.settings.confirm:
            case "ask":
                return action.interrupts
            case "undo":
                return action.interrupts and not action.inverse
            case _:
                return False

    def _say_unsuited(self, action: Action, entries: Sequence[ContainerInfo]) -> None:
        """Show why an action does nothing."""
        message, hint = action.otherwise
        if len(entries) > 1:
            self._dashboard.say(f"can't {action.verb} any of them", "warn")
        else:
            self._dashboard.say(f"{entries[0].name} {message}", "warn", hint)

    def _offer_undo(self, action: Action, text: str, targets: Sequence[RowTarget], set_pending: SetPending) -> None:
        """Offer to undo an action that has an inverse."""
        if not action.inverse:
            return

        async def undo() -> None:
            inverse = ACTIONS[action.inverse]
            bulk = BulkAction(
                host=self._dashboard,
                verb=inverse.verb,
                done=inverse.done,
                items=lambda keys: self._items(inverse, keys),
                on_started=lambda target: set_pending(target, inverse.doing),
                on_ended=lambda target: set_pending(target, ""),
                on_finished=lambda _: None,
            )
            bulk.start(targets)

        effect = action.effect.replace(" it", " them") if len(targets) > 1 else action.effect
        self._dashboard.undo_bar.make(UndoOffer(done=text, effect=effect, run=undo))

    def _items(self, action: Action, targets: Sequence[RowTarget]) -> list[BulkItem[RowTarget]]:
        return [
            BulkItem(target, self._name(target, entry), partial(_run, action, target, entry))
            for target, entry in _entries(targets).items()
        ]

    # A single container

    def recreate(self, target: RowTarget, suggested: Mapping[str, str] | None = None) -> None:
        """Ask for changes, recreate the container with them, and keep the old one.

        Args:
            target: The container.
            suggested: Texts that fields of the form start with, by their names.
        """
        self._with_form(target, lambda container: self._ask_recreate(target, container, suggested or {}))

    async def _ask_recreate(self, target: RowTarget, container: Container, suggested: Mapping[str, str]) -> None:
        from pyd_tui.dashboard.actions.forms import recreate_changes, recreate_fields  # noqa: PLC0415 - rarely used
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                work = self._recreate(target, container, recreate_changes(container, given))
                self._dashboard.tasks.start(work, name="recreate")

        title = f"Recreate {safe(container.name)} (:undo restores the old one, :accept deletes it for good)"
        fields = [replace(field, value=suggested.get(field.name, field.value)) for field in recreate_fields(container)]
        form = Form(
            title,
            fields,
            lambda given: recreate_changes(container, given),
            first=next(iter(suggested), ""),
            verb="recreate",
        )
        self._dashboard.push_screen(form, answered)

    async def _recreate(self, target: RowTarget, container: Container, changes: Changes) -> None:
        from pyd_core.client.recreate import recreate  # noqa: PLC0415 - rarely used

        job = f"recreating {safe(container.name)}"
        self._dashboard.jobs.update(job)
        try:
            engine = engine_of(target.engine)
            self.recreated.append((engine, await recreate(engine, container.id, changes)))
        finally:
            self._dashboard.jobs.end(job)
        self._dashboard.say(
            f"recreated {container.name} with changes", "good", "u restores the old one, :accept deletes it for good"
        )

    def undo(self) -> None:
        """Restore the container that was recreated last."""
        self._dashboard.tasks.start(self._undo(keep=False), name="undo")

    def keep(self) -> None:
        """Remove the old container of the one that was recreated last."""
        self._dashboard.tasks.start(self._undo(keep=True), name="keep")

    async def _undo(self, *, keep: bool) -> None:
        from pyd_core.client.recreate import undo  # noqa: PLC0415 - rarely used

        if not self.recreated:
            if keep:
                raise InvalidInput("no container was recreated", hint="A recreates a container with changes")
            raise InvalidInput("nothing to undo", hint="stop, kill, pause and recreate can be undone")
        engine, latest = self.recreated[-1]
        if keep:
            await engine.containers.remove(latest.old)
        else:
            await undo(engine, latest)
        self.recreated.pop()
        self._dashboard.say(f"removed the old {latest.name}" if keep else f"{latest.name} was restored", "good")

    def limits(self, targets: Sequence[RowTarget], set_pending: SetPending, on_failures: OnFailures) -> None:
        """Ask for limits, and change them while the containers run."""
        if len(targets) == 1:
            self._with_form(
                targets[0], lambda container: self._ask_limits(container, targets, set_pending, on_failures)
            )
        elif targets and self._dashboard.may_change(*{target.link for target in targets}):
            self._dashboard.tasks.start(self._ask_limits(None, targets, set_pending, on_failures), name="limits")

    async def _ask_limits(
        self,
        container: Container | None,
        targets: Sequence[RowTarget],
        set_pending: SetPending,
        on_failures: OnFailures,
    ) -> None:
        from pyd_tui.dashboard.actions.forms import limit_changes, limit_fields  # noqa: PLC0415 - rarely used
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self.do(update(limit_changes(container, given)), targets, set_pending, on_failures)

        what = safe(container.name) if container is not None else f"{len(targets)} containers"
        form = Form(f"Limits of {what}", limit_fields(container), lambda given: limit_changes(container, given))
        self._dashboard.push_screen(form, answered)

    def commit(self, target: RowTarget) -> None:
        """Ask for a name, and commit the container's files to an image."""
        self._with_form(target, lambda container: self._ask_commit(target, container))

    async def _ask_commit(self, target: RowTarget, container: Container) -> None:
        from pyd_tui.dashboard.actions.forms import commit_fields, commit_options  # noqa: PLC0415 - rarely used
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - rarely used

        async def work(given: Mapping[str, str]) -> None:
            options = commit_options(given)
            self._dashboard.jobs.update(f"committing {safe(container.name)}")
            try:
                await engine_of(target.engine).containers.commit(container.id, options)
            finally:
                self._dashboard.jobs.end(f"committing {safe(container.name)}")
            self._dashboard.say(f"committed {container.name} to {options.repository}:{options.tag}", "good")

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._dashboard.tasks.start(work(given), name="commit")

        title = f"Commit {safe(container.name)} to an image"
        self._dashboard.push_screen(Form(title, commit_fields(container), commit_options, verb="commit"), answered)

    def signal(self, target: RowTarget, process: ProcessRow, on_sent: Callable[[], None]) -> None:
        """Ask for a signal, and send it to one process.

        Args:
            target: The container.
            process: The process, as the engine lists it.
            on_sent: Called once it was sent.
        """
        if not self._dashboard.may_change(target.link):
            return
        from pyd_core.client.process_signals import signal_number, signal_process  # noqa: PLC0415 - rarely used
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - rarely used

        async def work(signal: str) -> None:
            await signal_process(target.engine, target.id, process.pid, signal)
            self._dashboard.say(f"sent {signal_number(signal).name} to {process.pid}", "good")
            on_sent()

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._dashboard.tasks.start(work(given["signal"]), name="signal")

        title = f"Send a signal to process {process.pid}, {textwrap.shorten(safe(process.command), 60)}"
        field = Field(name="signal", value="TERM", hint="TERM, KILL, HUP, USR1 …")
        form = Form(title, [field], lambda given: signal_number(given["signal"]), verb="send")
        self._dashboard.push_screen(form, answered)

    def pull(self, link: EngineConnection, image: str, *, ask: bool = True) -> None:
        """Pull an image, after asking unless the user has typed its name or has turned questions off."""
        if not self._dashboard.may_change(link):
            return
        if not ask or self._dashboard.startup.settings.confirm == "never":
            self._dashboard.tasks.start(self._pull(link, image), name="pull")
            return
        from pyd_tui.dashboard.screens.confirm import Confirm  # noqa: PLC0415 - only where it asks

        def answered(yes: bool | None) -> None:
            if yes:
                self._dashboard.tasks.start(self._pull(link, image), name="pull")

        self._dashboard.push_screen(Confirm(f"Pull {safe(image)}?", []), answered)

    async def _pull(self, link: EngineConnection, image: str) -> None:
        from pyd_tui.dashboard.actions.image_pull import pull_image  # noqa: PLC0415 - rarely used

        newer = await pull_image(link.require(), image, self._dashboard.jobs)
        if newer:
            self._dashboard.say(f"pulled a newer {image}", "good", "A recreates a container with it")
        else:
            self._dashboard.say(f"{image} is up to date", "good")

    # Shared

    def _name(self, target: RowTarget, entry: ContainerInfo) -> str:
        """Return a container's name, with its engine where several are listed: names may repeat."""
        return f"{entry.name} on {target.link.label}" if len(self._dashboard.in_sight) > 1 else entry.name

    def _with_form(self, target: RowTarget, ask: Callable[[Container], Awaitable[None]]) -> None:
        """Inspect a container, and open a form about it."""

        async def work() -> None:
            await ask(await target.engine.containers.inspect(target.id))

        if self._dashboard.may_change(target.link):
            self._dashboard.tasks.start(work(), name="form")


def _entries(targets: Sequence[RowTarget]) -> dict[RowTarget, ContainerInfo]:
    """Return the infos of containers that still exist, in order."""
    return {target: entry for target in targets if (entry := target.entry) is not None}


def _question(action: Action, entries: Mapping[RowTarget, ContainerInfo], only: str) -> str:
    """Return the question before an action; in a cluster, containers are removed with their pods."""
    if action.verb == "remove" and all(target.link.family == "cluster" for target in entries):
        from pyd_tui.dashboard.actions.pod_deletion import pod_question  # noqa: PLC0415 - only in a cluster

        return pod_question(entries)
    return question(action, [*entries.values()], only)


def _about_skipped(action: Action, skipped: Sequence[ContainerInfo]) -> str:
    """Return what to add to a question about marked containers that the action leaves out."""
    message, _ = action.otherwise
    if not skipped or not message:
        return ""
    if len(skipped) == 1:
        return f" The other one {message}."
    return f" The other {len(skipped)} {message.replace('is', 'are', 1)}."


async def _run(action: Action, target: RowTarget, entry: ContainerInfo) -> None:
    await action.run(target.engine, entry)
