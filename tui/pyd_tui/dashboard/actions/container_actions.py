"""Doing things to containers from any screen: asking once, showing that it goes on, telling of each how it went."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.actions.bulk import BulkAction, BulkItem
from pyd_tui.dashboard.actions.catalogue import Action, question, update
from pyd_tui.dashboard.engines.target import RowTarget

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.recreate import Changes, Recreated
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost
    from pyd_tui.dashboard.render.processes import ProcessRow

Mark = Callable[[RowTarget, str], None]
"""Told of a container and what is being done to it."""
Over = Callable[[set[RowTarget]], None]
"""Told which ones something failed for."""


class ContainerActions:
    """What keys and commands do to containers.

    Args:
        dashboard: The app.
    """

    def __init__(self, dashboard: ActionHost) -> None:
        self._dashboard = dashboard
        self.done: list[tuple[EngineClient, Recreated]] = []
        """Containers that run again with changes, the last at the end; the old ones are kept."""

    # Many at once

    def do(self, action: Action, targets: Sequence[RowTarget], mark: Mark, over: Over) -> None:
        """Does something to containers; asks first where it can't be undone, or where there are several.

        Args:
            action: What.
            targets: To which.
            mark: Told what is being done to each.
            over: Told which ones it failed for.
        """
        entries = _entries(targets)
        if not entries or not self._dashboard.may_change(*{target.link for target in entries}):
            return
        bulk = BulkAction(
            host=self._dashboard,
            verb=action.verb,
            done=action.done,
            items=lambda keys: self._items(action, keys),
            on_started=lambda target: mark(target, action.doing),
            on_ended=lambda target: mark(target, ""),
            on_finished=over,
        )
        if action.asks or len(entries) > 1:
            names = [self._name(target, entry) for target, entry in entries.items()]
            bulk.ask(question(action, [*entries.values()], names[0]), names, [*entries])
        else:
            bulk.start([*entries])

    def _items(self, action: Action, targets: Sequence[RowTarget]) -> list[BulkItem[RowTarget]]:
        return [
            BulkItem(target, self._name(target, entry), partial(_run, action, target, entry))
            for target, entry in _entries(targets).items()
        ]

    # One at a time

    def run_again(self, target: RowTarget) -> None:
        """Asks what shall be different, makes the container anew, and keeps the old one."""
        self._with_form(target, lambda found: self._ask_again(target, found))

    async def _ask_again(self, target: RowTarget, found: Container) -> None:
        from pyd_tui.dashboard.actions.forms import again_changes, again_fields  # noqa: PLC0415 - hardly ever needed
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - as above

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                work = self._run_again(target, found, again_changes(found, given))
                self._dashboard.tasks.start(work, name="run again")

        title = f"Run {safe(found.name)} again; the old one is kept until you say :keep, and :undo brings it back"
        form = Form(title, again_fields(found), lambda given: again_changes(found, given))
        self._dashboard.push_screen(form, answered)

    async def _run_again(self, target: RowTarget, found: Container, changes: Changes) -> None:
        from pyd_core.client.recreate import recreate  # noqa: PLC0415 - hardly ever needed

        job = f"running {safe(found.name)} again"
        self._dashboard.jobs.tell(job)
        try:
            engine = target.engine
            self.done.append((engine, await recreate(engine, found.id, changes)))
        finally:
            self._dashboard.jobs.end(job)
        self._dashboard.say(f"{found.name} runs with the changes", "good", ":undo goes back, :keep removes the old one")

    def undo(self) -> None:
        """Brings the old container back that was last replaced."""
        self._dashboard.tasks.start(self._undo(keep=False), name="undo")

    def keep(self) -> None:
        """Removes the old container that was last replaced."""
        self._dashboard.tasks.start(self._undo(keep=True), name="keep")

    async def _undo(self, *, keep: bool) -> None:
        from pyd_core.client.recreate import undo  # noqa: PLC0415 - hardly ever needed

        if not self.done:
            raise InvalidInput("nothing was run again", hint="A runs a container again with changes")
        engine, made = self.done[-1]
        if keep:
            await engine.containers.remove(made.old)
        else:
            await undo(engine, made)
        self.done.pop()
        self._dashboard.say(f"removed the old {made.name}" if keep else f"{made.name} is back as it was", "good")

    def limits(self, targets: Sequence[RowTarget], mark: Mark, over: Over) -> None:
        """Asks for limits, and changes them while the containers run."""
        if len(targets) == 1:
            self._with_form(targets[0], lambda found: self._ask_limits(found, targets, mark, over))
        elif targets and self._dashboard.may_change(*{target.link for target in targets}):
            self._dashboard.tasks.start(self._ask_limits(None, targets, mark, over), name="limits")

    async def _ask_limits(self, found: Container | None, targets: Sequence[RowTarget], mark: Mark, over: Over) -> None:
        from pyd_tui.dashboard.actions.forms import limit_changes, limit_fields  # noqa: PLC0415 - hardly ever needed
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - as above

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self.do(update(limit_changes(found, given)), targets, mark, over)

        what = safe(found.name) if found is not None else f"{len(targets)} containers"
        form = Form(f"Limits of {what}", limit_fields(found), lambda given: limit_changes(found, given))
        self._dashboard.push_screen(form, answered)

    def commit(self, target: RowTarget) -> None:
        """Asks for a name, and makes an image of the container's files."""
        self._with_form(target, lambda found: self._ask_commit(target, found))

    async def _ask_commit(self, target: RowTarget, found: Container) -> None:
        from pyd_tui.dashboard.actions.forms import commit_fields, commit_options  # noqa: PLC0415 - hardly ever needed
        from pyd_tui.dashboard.screens.form import Form  # noqa: PLC0415 - as above

        async def work(given: Mapping[str, str]) -> None:
            options = commit_options(given)
            self._dashboard.jobs.tell(f"committing {safe(found.name)}")
            try:
                await target.engine.containers.commit(found.id, options)
            finally:
                self._dashboard.jobs.end(f"committing {safe(found.name)}")
            self._dashboard.say(f"made {options.repository}:{options.tag} of {found.name}", "good")

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._dashboard.tasks.start(work(given), name="commit")

        title = f"Make an image of {safe(found.name)}"
        self._dashboard.push_screen(Form(title, commit_fields(found), commit_options), answered)

    def signal(self, target: RowTarget, process: ProcessRow, over: Callable[[], None]) -> None:
        """Asks for a signal, and sends it to one process.

        Args:
            target: The container.
            process: The process, as the engine told of it.
            over: Called when it was sent.
        """
        if not self._dashboard.may_change(target.link):
            return
        from pyd_core.client.process_signals import signal_number, signal_process  # noqa: PLC0415 - hardly ever needed
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - as above

        async def work(signal: str) -> None:
            await signal_process(target.engine, target.id, process.pid, signal)
            self._dashboard.say(f"sent {signal_number(signal).name} to {process.pid}", "good")
            over()

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._dashboard.tasks.start(work(given["signal"]), name="signal")

        title = f"Send a signal to process {process.pid}, {textwrap.shorten(safe(process.command), 60)}"
        field = Field(name="signal", value="TERM", hint="TERM, KILL, HUP, USR1 …")
        self._dashboard.push_screen(Form(title, [field], lambda given: signal_number(given["signal"])), answered)

    def pull(self, link: EngineConnection, image: str) -> None:
        """Pulls an image anew."""
        if self._dashboard.may_change(link):
            self._dashboard.tasks.start(self._pull(link, image), name="pull")

    async def _pull(self, link: EngineConnection, image: str) -> None:
        from pyd_tui.dashboard.actions.image_pull import pulled  # noqa: PLC0415 - hardly ever needed

        newer = await pulled(link.require(), image, self._dashboard.jobs)
        if newer:
            self._dashboard.say(f"pulled a newer {image}", "good", "A runs a container again with it")
        else:
            self._dashboard.say(f"{image} is the newest there is", "good")

    # Shared

    def _name(self, target: RowTarget, entry: ContainerInfo) -> str:
        """What to call a container: where several engines are in sight, their containers may have the same name."""
        return f"{entry.name} on {target.link.label}" if len(self._dashboard.in_sight) > 1 else entry.name

    def _with_form(self, target: RowTarget, ask: Callable[[Container], Awaitable[None]]) -> None:
        """Inspects a container, and asks about it."""

        async def work() -> None:
            await ask(await target.engine.containers.inspect(target.id))

        if self._dashboard.may_change(target.link):
            self._dashboard.tasks.start(work(), name="form")


def _entries(targets: Sequence[RowTarget]) -> dict[RowTarget, ContainerInfo]:
    """What is known of those that are still there, in order."""
    return {target: entry for target in targets if (entry := target.entry) is not None}


async def _run(action: Action, target: RowTarget, entry: ContainerInfo) -> None:
    await action.run(target.engine, entry)
