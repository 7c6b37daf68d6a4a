"""Commands and menu entries that only some views have: of images, networks, services and others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.errors import InvalidInput, PydError
from pyd_tui.dashboard.actions.removal import BulkRemoval
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row

if TYPE_CHECKING:
    from pyd_tui.dashboard.actions.image_actions import ImageActions
    from pyd_tui.dashboard.actions.network_actions import NetworkActions
    from pyd_tui.dashboard.screens.host import ScreenHost
    from pyd_tui.dashboard.screens.menu import MenuEntry

IMAGE_COMMANDS = frozenset({"tag", "push", "run"})


class RowCommands:
    """Runs commands on rows.

    Args:
        dashboard: The app.
        context: The data that the view's loader uses.
        resource: The view.
        removal: Asks before a plan is carried out.
        refresh: Reloads the rows.
    """

    def __init__(
        self,
        dashboard: ScreenHost,
        context: LoadContext,
        resource: ResourceView,
        removal: BulkRemoval,
        refresh: Callable[[], None],
    ) -> None:
        self._dashboard = dashboard
        self._context = context
        self._resource = resource
        self._removal = removal
        self._refresh = refresh

    def entries(self, row: Row) -> list[MenuEntry]:
        """Return the menu's entries that only this view has."""
        from pyd_tui.dashboard.screens.menu import MenuEntry  # noqa: PLC0415 - on first use

        if self._resource.name == "images":
            images, name = self._image_actions, row.name
            return [
                MenuEntry(key="n", text="run a new container of it", run=partial(images.run, name)),
                MenuEntry(key="t", text="tag it", run=partial(images.tag, name)),
                MenuEntry(key="p", text="push it to its registry (asks)", run=partial(images.push, name)),
                MenuEntry(key="S", text="search the public registry", run=images.search),
            ]
        if self._resource.name == "networks":
            change = partial(self._network_actions.change_members, row.name)
            return [
                MenuEntry(key="c", text="connect a container to it", run=partial(change, connect=True)),
                MenuEntry(
                    key="d",
                    text="disconnect a container from it (asks)",
                    run=partial(change, connect=False),
                    destructive=True,
                ),
            ]
        return []

    @property
    def _image_actions(self) -> ImageActions:
        from pyd_tui.dashboard.actions.image_actions import ImageActions  # noqa: PLC0415 - on first use

        return ImageActions(self._dashboard, self._context.link, self._dashboard.container_actions.pull)

    @property
    def _network_actions(self) -> NetworkActions:
        from pyd_tui.dashboard.actions.network_actions import NetworkActions  # noqa: PLC0415 - on first use

        return NetworkActions(self._dashboard, self._context.link)

    def run(self, call: CommandCall, row: Row) -> bool:
        """Run a command, and return whether the view has it."""
        dashboard, verb = self._dashboard, call.verb
        if verb in self._resource.commands:
            if dashboard.may_change():
                dashboard.tasks.start(self._run_command(call, row), name=verb)
        elif verb in self._resource.plans:
            if dashboard.may_change():
                dashboard.tasks.start(self._run_plan(verb, row), name=verb)
        elif verb in IMAGE_COMMANDS and self._resource.name == "images":
            self._run_on_image(call, row)
        elif verb == "scale" and self._resource.name == "services":
            if not call.words[0].isdecimal():
                raise InvalidInput("write :scale and a number", hint=f"the number of tasks of {row.name}")
            if dashboard.may_change():
                dashboard.tasks.start(self._scale(row, int(call.words[0])), name="scale")
        else:
            return False
        return True

    def _run_on_image(self, call: CommandCall, row: Row) -> None:
        match call.verb:
            case "tag":
                self._image_actions.tag(row.name, call.words[0])
            case "push":
                self._image_actions.push(row.name)
            case _:
                self._image_actions.run(row.name)

    async def _run_command(self, call: CommandCall, row: Row) -> None:
        try:
            report = await self._resource.commands[call.verb](self._context, row, call.words)
        except PydError as error:
            self._dashboard.say(error.message, "bad", error.hint)
        else:
            self._dashboard.say(report, "good")
            self._refresh()

    async def _run_plan(self, verb: str, row: Row) -> None:
        try:
            plan = await self._resource.plans[verb](self._context, row)
        except PydError as error:
            self._dashboard.say(error.message, "bad", error.hint)
        else:
            self._removal.ask(plan.question, plan.steps, verb=plan.verb, done=plan.done)

    async def _scale(self, row: Row, count: int) -> None:
        try:
            await self._context.engine.services.scale(row.key, count)
        except PydError as error:
            self._dashboard.say(error.message, "bad", error.hint)
        else:
            self._dashboard.say(f"scaled {row.name} to {counted(count, 'task')}", "good")
