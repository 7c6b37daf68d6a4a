"""Actions on networks: containers are connected to them, and disconnected from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_tui.dashboard.actions.bulk import BulkAction, BulkItem
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.screens.menu import Menu, MenuEntry

if TYPE_CHECKING:
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost


class NetworkActions:
    """Connects containers to networks and disconnects them.

    Args:
        dashboard: The app.
        link: The engine.
    """

    def __init__(self, dashboard: ActionHost, link: EngineConnection) -> None:
        self._dashboard = dashboard
        self._link = link

    def change_members(self, network: str, *, connect: bool) -> None:
        """Let the user choose a container, and connect it to a network or disconnect it."""
        if not self._dashboard.may_change(self._link):
            return
        entries = sorted(self._link.containers.values(), key=lambda entry: entry.name)
        chosen = [entry for entry in entries if (network in entry.networks) != connect]
        if not chosen:
            self._dashboard.say("every container is in it" if connect else "no container is in it", "warn")
            return
        menu = [
            MenuEntry(
                key="",
                text=entry.name,
                run=partial(self.change, [RowTarget(self._link, entry.id)], network, connect=connect),
                destructive=not connect,
            )
            for entry in chosen
        ]
        self._open(f"{'Connect to' if connect else 'Disconnect from'} {network}", menu)

    def choose_network(self, targets: Sequence[RowTarget], *, connect: bool) -> None:
        """Let the user choose a network, and connect containers to it or disconnect them."""
        if self._dashboard.may_change(self._link):
            self._dashboard.tasks.start(self._choose_network(targets, connect=connect), name="networks")

    async def _choose_network(self, targets: Sequence[RowTarget], *, connect: bool) -> None:
        entries = [entry for target in targets if (entry := target.entry) is not None]
        current = {name for entry in entries for name in entry.networks}
        names = (
            sorted(network.name for network in await engine_of(self._link.require()).networks.list())
            if connect
            else current
        )
        menu = [
            MenuEntry(
                key="",
                text=name,
                run=partial(self.change, targets, name, connect=connect),
                destructive=not connect,
            )
            for name in sorted(names)
            if not connect or any(name not in entry.networks for entry in entries)
        ]
        if not menu:
            self._dashboard.say("there is no other network" if connect else "it is in no network", "warn")
            return
        what = entries[0].name if len(entries) == 1 else f"{len(entries)} containers"
        self._open(f"{'Connect' if connect else 'Disconnect'} {what}", menu)

    def _open(self, title: str, entries: Sequence[MenuEntry]) -> None:
        def run(chosen: Callable[[], object] | None) -> None:
            if chosen is not None:
                chosen()

        self._dashboard.push_screen(Menu(title, entries), run)

    def change(self, targets: Sequence[RowTarget], network: str, *, connect: bool) -> None:
        """Connect containers to a network or disconnect them; a disconnection asks first."""
        if not self._dashboard.may_change(self._link):
            return

        async def change_one(target: RowTarget) -> None:
            networks = engine_of(self._link.require()).networks
            await (networks.connect if connect else networks.disconnect)(network, target.id)

        names = [entry.name if (entry := target.entry) is not None else target.id[:12] for target in targets]
        bulk: BulkAction[RowTarget] = BulkAction(
            host=self._dashboard,
            verb="connect" if connect else "disconnect",
            done=f"{'connected to' if connect else 'disconnected from'} {network}:",
            items=lambda keys: [
                BulkItem(target, name, partial(change_one, target)) for target, name in zip(keys, names, strict=True)
            ],
            on_finished=lambda _: None,
        )
        if connect:
            bulk.start(targets)
        else:
            what = names[0] if len(names) == 1 else f"{len(names)} containers"
            bulk.ask(f"Disconnect {what} from {network}?", names, targets)
