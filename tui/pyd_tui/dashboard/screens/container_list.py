"""What keys and commands do to the containers of a list: to the one under the cursor, or to all marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.panels.containers import ContainerTable
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.screens.view import ViewScreen

if TYPE_CHECKING:
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.actions.catalogue import Action
    from pyd_tui.dashboard.input.commands import CommandCall


class ContainerListScreen(ViewScreen):
    """A view whose rows are containers; once it is mounted, it has the table and the footer."""

    table: ContainerTable
    footer: Footer

    def __init__(self) -> None:
        super().__init__()
        self._waited = False
        """Whether the user was told that there are no rows yet."""

    @property
    def row_link(self) -> EngineConnection:
        """The engine of the row under the cursor."""
        key = self.table.key if self.dashboard.merged else None
        return key.link if key is not None else self.dashboard.link

    @property
    def target(self) -> RowTarget | None:
        """The container under the cursor, once it has been on the screen."""
        key = self.table.key if self.table.was_seen else None
        return key if key is not None and not key.is_heading else None

    def require_target(self) -> RowTarget | None:
        """The container under the cursor; where there is none, says why."""
        if (target := self.target) is None and self._at_heading:
            self.footer.say("that goes to one container", "warn", "l s r p x and marks go to a whole project")
        elif target is None:
            live = any(link.connection.state == "live" for link in self.links)
            self._waited = bool(self.table.keys) or not live
            if self._waited:
                self.footer.say("still loading", "warn", "keys act on a container once it is shown")
            else:
                self.footer.say("there is no container to do that to", "warn")
        return target

    @property
    def _at_heading(self) -> bool:
        return self.table.was_seen and self.table.key is not None and self.table.key.is_heading

    def aims(self) -> list[RowTarget]:
        """The marked containers, else the one under the cursor; where there are none, says why."""
        return (
            self.table.targets() if self.table.marked or self._at_heading or self.require_target() is not None else []
        )

    def action_open(self) -> None:
        """Opens the container under the cursor; folds what is below a heading, or unfolds it."""
        if self._at_heading:
            self.table.fold()
        else:
            self._open("overview")

    def action_logs(self) -> None:
        """Opens its log, or those of the marked ones as one."""
        if targets := self.aims():
            self._open_logs(targets)

    def action_project_logs(self) -> None:
        """Opens the logs of its Compose project as one."""
        if self._at_heading:
            self._open_logs(self.table.under_heading)
            return
        if (target := self.require_target()) is None or (entry := target.entry) is None:
            return
        known = target.link.containers.values()
        ids = [one.id for one in known if one.project and one.project == entry.project] or [target.id]
        self._open_logs([RowTarget(target.link, one) for one in ids])

    def _open_logs(self, targets: Sequence[RowTarget]) -> None:
        from pyd_tui.dashboard.screens.logs import LogScreen  # noqa: PLC0415 - when it is opened

        self.app.push_screen(LogScreen(targets))

    def action_inspect(self) -> None:
        """Opens what the engine knows about it."""
        self._open("inspect")

    def action_why(self) -> None:
        """Opens the verdict on it."""
        self._open("why")

    def _open(self, tab: str) -> None:
        if (target := self.require_target()) is not None:
            from pyd_tui.dashboard.screens.detail import Detail  # noqa: PLC0415 - when it is opened

            self.app.push_screen(Detail(target, tab, self.dashboard.clock))

    def action_mark(self) -> None:
        """Marks a container, or all below a heading."""
        if self._at_heading or self.require_target() is not None:
            self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Marks from the last marked container to this one."""
        if self._at_heading or self.require_target() is not None:
            self.table.mark_range()

    def action_mark_all(self) -> None:
        """Marks all that are shown, or none."""
        if self._at_heading or self.require_target() is not None:
            self.table.mark_all()

    def action_again(self) -> None:
        """Runs it again with changes."""
        if (target := self.require_target()) is not None:
            self.dashboard.acting.run_again(target)

    def action_limits(self) -> None:
        """Changes limits while it runs."""
        if targets := self.aims():
            self.dashboard.acting.limits(targets, self.table.set_pending, self._over)

    def action_commit(self) -> None:
        """Makes an image of it."""
        if (target := self.require_target()) is not None:
            self.dashboard.acting.commit(target)

    def action_pull(self) -> None:
        """Pulls its image anew."""
        if (target := self.require_target()) is not None and (entry := target.entry) is not None:
            self.dashboard.acting.pull(target.link, entry.image)

    def action_compose(self) -> None:
        """Lets the user say what to do with the whole project."""
        if self._at_heading or self.require_target() is not None:
            self.action_command("compose ")

    def action_act(self, name: str) -> None:
        """Does something to the marked containers, or to the one under the cursor."""
        from pyd_tui.dashboard.actions.catalogue import ACTIONS  # noqa: PLC0415 - when something is done

        self._do(ACTIONS[name])

    def run(self, call: CommandCall) -> None:
        """Does what was typed to the marked containers, or to the one under the cursor."""
        from pyd_tui.dashboard.actions import catalogue  # noqa: PLC0415 - when something is done

        match call.verb:
            case "start" | "stop" | "restart" | "remove":
                self.action_act(call.verb)
            case "kill":
                self._do(catalogue.kill(*call.words))
            case "update":
                self._do(catalogue.update(call.words))
            case "rename" if len(self.table.targets()) > 1:
                self.footer.say("several containers can't have one name", "warn", "esc takes the marks away")
            case "rename":
                self._do(catalogue.rename(call.words[0]))
            case "pull" if call.words:
                self.dashboard.acting.pull(self.row_link, call.words[0])
            case "again" | "commit" | "pull" | "export" | "compose":
                at = (
                    self.table.under_heading if call.verb == "compose" and self._at_heading else [self.require_target()]
                )
                if (target := at[0]) is not None and (entry := target.entry) is not None:
                    self._one(call, target, entry)
            case "prune":
                self.dashboard.open_view("system")
            case _:
                super().run(call)

    def _one(self, call: CommandCall, target: RowTarget, entry: ContainerInfo) -> None:
        """Does what is done to one container alone."""
        dashboard = self.dashboard
        match call.verb:
            case "again":
                dashboard.acting.run_again(target)
            case "commit":
                dashboard.acting.commit(target)
            case "pull":
                dashboard.acting.pull(target.link, entry.image)
            case "export":
                dashboard.errands.export(target, entry.name)
            case _:
                dashboard.programs.compose(target, call.words[0])

    def _do(self, action: Action) -> None:
        if targets := self.aims():
            self.dashboard.acting.do(action, targets, self.table.set_pending, self._over)

    def _over(self, failed: set[RowTarget]) -> None:
        self.table.marked &= failed  # what failed stays marked, so that it can be tried again
        self.table.sync()
