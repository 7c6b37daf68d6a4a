"""The actions on the containers of a list: on the one under the cursor, or on all marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget, project_targets
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.input.keymap import lacked
from pyd_tui.dashboard.panels.containers import ContainerTable
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.screens.view import ViewScreen

if TYPE_CHECKING:
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.actions.catalogue import Action


class ContainerListScreen(ViewScreen):
    """A view whose rows are containers; once mounted, it has the table and the footer."""

    table: ContainerTable
    footer: Footer

    def __init__(self) -> None:
        super().__init__()
        self._waited = False
        """Whether a message says that there are no rows yet."""

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
        """Return the container under the cursor; if there is none, show why."""
        if (target := self.target) is None and self._at_heading:
            self.footer.say("select a single container", "warn", "l s r p x and marks act on a whole project")
        elif target is None:
            live = any(link.connection.state == "live" for link in self.links)
            self._waited = bool(self.table.keys) or not live
            if self._waited:
                self.footer.say("still loading", "warn", "keys act on a container once it is shown")
            else:
                self.footer.say("there is no container", "warn")
        return target

    @property
    def _at_heading(self) -> bool:
        return self.table.was_seen and self.table.key is not None and self.table.key.is_heading

    def require_targets(self) -> list[RowTarget]:
        """Return the marked containers, else the one under the cursor; if there are none, show why."""
        return (
            self.table.targets() if self.table.marked or self._at_heading or self.require_target() is not None else []
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Turn off keys of actions that the provider of the row lacks."""
        if lacked(action, parameters, self.row_link.lacks if self.is_mounted else frozenset()):
            return False
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Open the container under the cursor, or fold or unfold a project."""
        if self._at_heading:
            self.table.fold()
        else:
            self._open("overview")

    def action_logs(self) -> None:
        """Open its log, or the merged logs of the marked containers."""
        if targets := self.require_targets():
            self._open_logs(targets)

    def action_project_logs(self) -> None:
        """Open the merged logs of its Compose project."""
        if self._at_heading:
            self._open_logs(self.table.under_heading)
            return
        if (target := self.require_target()) is not None:
            self._open_logs(project_targets(target))

    def _open_logs(self, targets: Sequence[RowTarget]) -> None:
        from pyd_tui.dashboard.screens.logs import LogScreen  # noqa: PLC0415 - on first use

        self.app.push_screen(LogScreen(targets))

    def action_inspect(self) -> None:
        """Open its inspect data."""
        self._open("inspect")

    def action_why(self) -> None:
        """Open the verdict on it."""
        self._open("why")

    def _open(self, tab: str) -> None:
        if (target := self.require_target()) is not None:
            from pyd_tui.dashboard.screens.detail import Detail  # noqa: PLC0415 - on first use

            self.app.push_screen(Detail(target, tab, self.dashboard.clock))

    def action_mark(self) -> None:
        """Mark a container, or all of a project."""
        if self._at_heading or self.require_target() is not None:
            self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Mark from the last marked container to this one."""
        if self._at_heading or self.require_target() is not None:
            self.table.mark_range()

    def action_mark_all(self) -> None:
        """Mark all that are shown, or none."""
        if self._at_heading or self.require_target() is not None:
            self.table.mark_all()

    def action_recreate(self) -> None:
        """Recreate the container with changes."""
        if (target := self.require_target()) is not None:
            self.dashboard.container_actions.recreate(target)

    def action_limits(self) -> None:
        """Change limits while the containers run."""
        if targets := self.require_targets():
            self.dashboard.container_actions.limits(targets, self.table.set_pending, self._on_failures)

    def action_commit(self) -> None:
        """Commit the container to an image."""
        if (target := self.require_target()) is not None:
            self.dashboard.container_actions.commit(target)

    def action_pull(self) -> None:
        """Pull the container's image again."""
        if (target := self.require_target()) is not None and (entry := target.entry) is not None:
            self.dashboard.container_actions.pull(target.link, entry.image)

    def action_prune(self) -> None:
        """Remove stopped containers, after listing them and asking."""
        from pyd_tui.dashboard.actions.catalogue import ACTIONS  # noqa: PLC0415 - on first use

        if not any(link.containers for link in self.links):
            self.require_target()
            return
        if not self.dashboard.may_change(*self.links):
            return
        stopped = [
            RowTarget(link, entry.id)
            for link in self.links
            for entry in link.containers.values()
            if entry.state in {"exited", "dead", "created", "stopped"}
        ]
        if stopped:
            self.dashboard.container_actions.do(ACTIONS["remove"], stopped, self.table.set_pending, self._on_failures)
        else:
            self.footer.say("no container is stopped", "good")

    def action_menu(self) -> None:
        """Show what can be done to the container under the cursor, or to all marked."""
        from pyd_tui.dashboard.actions.menus import container_menu  # noqa: PLC0415 - on first use
        from pyd_tui.dashboard.screens.menu import Menu, perform  # noqa: PLC0415 - on first use

        targets = self.require_targets()
        entries = [entry for target in targets if (entry := target.entry) is not None]
        if not entries:
            return
        run: dict[str, Callable[[], object]] = {
            "open": self.action_open,
            "why": self.action_why,
            "logs": self.action_logs,
            "project-logs": self.action_project_logs,
            "debug": self.action_debug,
            "shell": self.action_shell,
            "stats": self.action_stats,
            "files": self.action_files,
            "inspect": self.action_inspect,
            "recreate": self.action_recreate,
            "limits": self.action_limits,
            "rename": partial(self.action_command, "rename "),
            "commit": self.action_commit,
            "export": partial(self.do, CommandCall("export")),
            "compose": self.action_compose,
            "pull": self.action_pull,
            "kill": partial(self.action_command, "kill "),
            **{name: partial(self.action_act, name) for name in ("start", "stop", "restart", "pause", "remove")},
            "resume": partial(self.action_act, "pause"),
            "connect": partial(self._change_networks, connect=True),
            "disconnect": partial(self._change_networks, connect=False),
        }
        lacks = frozenset[str]().union(*(target.link.lacks for target in targets))
        run = {name: action for name, action in run.items() if name not in lacks}
        title = entries[0].name if len(entries) == 1 else f"{len(entries)} containers"
        menu = container_menu(entries, self.dashboard.keys.of("containers"), run)
        menu += self.own_entries()
        self.app.push_screen(Menu(title, menu), perform)

    def own_subjects(self) -> tuple[EngineConnection, list[Mapping[str, str]]]:
        """Return the marked containers, else the one under the cursor."""
        from pyd_tui.dashboard.actions.user_commands import values  # noqa: PLC0415 - on first use

        targets = [key for key in self.table.targets() if key.entry is not None] if self.table.marked else []
        if not targets:
            return super().own_subjects()
        return targets[0].link, [values(key.entry) for key in targets if key.link is targets[0].link]

    def _change_networks(self, *, connect: bool) -> None:
        """Connect the containers to a network, or disconnect them."""
        from pyd_tui.dashboard.actions.network_actions import NetworkActions  # noqa: PLC0415 - on first use

        targets = self.require_targets()
        by_link = {target.link for target in targets}
        if len(by_link) > 1:
            self.footer.say("they are on several engines", "warn", "mark containers of one engine")
        elif targets:
            NetworkActions(self.dashboard, targets[0].link).choose_network(targets, connect=connect)

    def action_files(self) -> None:
        """Open its files."""
        self._open("files")

    def action_stats(self) -> None:
        """Open its resource usage."""
        self._open("stats")

    def action_compose(self) -> None:
        """Let the user type a Compose command for the project."""
        if self._at_heading or self.require_target() is not None:
            self.action_command("compose ")

    def action_act(self, name: str) -> None:
        """Run an action on the marked containers, or on the one under the cursor."""
        from pyd_tui.dashboard.actions.catalogue import suited  # noqa: PLC0415 - on first use

        if targets := self.require_targets():
            entries = [entry for target in targets if (entry := target.entry) is not None]
            self.dashboard.container_actions.do(
                suited(name, entries), targets, self.table.set_pending, self._on_failures
            )

    def run(self, call: CommandCall) -> None:
        """Run a typed command on the marked containers, or on the one under the cursor."""
        from pyd_tui.dashboard.actions import catalogue  # noqa: PLC0415 - on first use

        match call.verb:
            case "start" | "stop" | "restart" | "pause" | "resume" | "remove":
                self.action_act(call.verb)
            case "kill":
                self._do(catalogue.kill(*call.words))
            case "update":
                self._do(catalogue.update(call.words))
            case "connect" | "disconnect":
                self._change_networks(connect=call.verb == "connect")
            case "rename" if len(self.table.targets()) > 1:
                self.footer.say("several containers can't have one name", "warn", "esc clears the marks")
            case "rename":
                self._do(catalogue.rename(call.words[0]))
            case "pull" if call.words:
                self.dashboard.container_actions.pull(self.row_link, call.words[0], ask=False)
            case "recreate" | "commit" | "pull" | "export" | "compose":
                targets = (
                    self.table.under_heading if call.verb == "compose" and self._at_heading else [self.require_target()]
                )
                if (target := targets[0]) is not None and (entry := target.entry) is not None:
                    self._run_on_one(call, target, entry)
            case "prune":
                self.action_prune()
            case _:
                super().run(call)

    def _run_on_one(self, call: CommandCall, target: RowTarget, entry: ContainerInfo) -> None:
        """Run a command that acts on a single container."""
        dashboard = self.dashboard
        match call.verb:
            case "recreate":
                dashboard.container_actions.recreate(target)
            case "commit":
                dashboard.container_actions.commit(target)
            case "pull":
                dashboard.container_actions.pull(target.link, entry.image)
            case "export":
                dashboard.transfers.export(target, entry.name)
            case _:
                dashboard.external_commands.compose(target, call.words[0])

    def _do(self, action: Action) -> None:
        if targets := self.require_targets():
            self.dashboard.container_actions.do(action, targets, self.table.set_pending, self._on_failures)

    def _on_failures(self, failed: set[RowTarget]) -> None:
        self.table.marked &= failed  # failures stay marked, for a retry
        self.table.sync()
