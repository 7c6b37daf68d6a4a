"""The actions on the one container that a screen is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pyd_tui.dashboard.engines.target import project_targets
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.resources.container_tabs import Subject
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.screens.logs import LogScreen

if TYPE_CHECKING:
    from pyd_tui.dashboard.actions.next_steps import Step
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.render.processes import ProcessRow


class ContainerActionsScreen(SearchableScreen):
    """A screen about one container."""

    link: EngineConnection
    footer: Footer
    _target: RowTarget
    _subject: Subject
    _pending_action: str
    """The pending action on the container, in words."""

    def action_go(self, name: str) -> None:
        """Open a tab."""
        raise NotImplementedError

    def _reload(self, name: str) -> None:
        """Load the data of a tab again."""
        raise NotImplementedError

    def _update_status(self) -> None:
        """Show the state of the container."""
        raise NotImplementedError

    def action_act(self, name: str) -> None:
        """Run an action on the container."""
        from pyd_tui.dashboard.actions.catalogue import suited  # noqa: PLC0415 - on first use

        entry = self._target.entry
        action = suited(name, [entry] if entry is not None else [])
        self.dashboard.container_actions.do(action, (self._target,), self._mark, lambda _: None)

    def _mark(self, target: RowTarget, doing: str) -> None:
        del target
        self._pending_action = doing
        if self.is_attached:
            self._update_status()

    def _kill(self, process: ProcessRow) -> None:
        """Send a signal to one of its processes, and reload the processes."""
        self.dashboard.container_actions.signal(self._target, process, lambda: self._reload("processes"))

    @property
    def _steps(self) -> list[Step]:
        """The suggested steps that can be taken."""
        return [step for step in self._subject.steps or () if step.kind != "note"]

    def _choose_step(self) -> None:
        """Let the user choose one of the steps that the verdict suggests."""
        from pyd_tui.dashboard.screens.next_steps import choose_step  # noqa: PLC0415 - on first use

        if steps := self._steps:
            choose_step(self.dashboard, self._target, steps, open_stats=partial(self.action_go, "stats"))
        else:
            self.footer.say("the verdict suggests no steps", "dim")

    def action_logs(self) -> None:
        """Open its log on a screen of its own."""
        self.app.push_screen(LogScreen((self._target,)))

    def action_menu(self) -> None:
        """Show what can be done to the container."""
        from pyd_tui.dashboard.actions.menus import container_menu  # noqa: PLC0415 - on first use
        from pyd_tui.dashboard.screens.menu import Menu, perform  # noqa: PLC0415 - on first use

        if (entry := self._target.entry) is None:
            self.dashboard.say("the container was removed", "warn")
            return
        actions = self.dashboard.container_actions
        run: dict[str, Callable[[], object]] = {
            "why": partial(self.action_go, "why"),
            "logs": partial(self.action_go, "logs"),
            "project-logs": self.action_project_logs,
            "debug": self.action_debug,
            "shell": self.action_shell,
            "stats": partial(self.action_go, "stats"),
            "files": partial(self.action_go, "files"),
            "inspect": partial(self.action_go, "inspect"),
            "recreate": partial(actions.recreate, self._target),
            "limits": partial(actions.limits, (self._target,), self._mark, lambda _: None),
            "commit": partial(actions.commit, self._target),
            "export": partial(self.dashboard.transfers.export, self._target, entry.name),
            "pull": partial(actions.pull, self.link, entry.image),
            **{name: partial(self.action_act, name) for name in ("start", "stop", "restart", "pause", "remove")},
            "resume": partial(self.action_act, "pause"),
        }
        menu = container_menu([entry], self.dashboard.keys.of("detail"), run) + self.own_entries()
        self.app.push_screen(Menu(entry.name, menu), perform)

    def action_project_logs(self) -> None:
        """Open the merged logs of its Compose project."""
        self.app.push_screen(LogScreen(project_targets(self._target)))
