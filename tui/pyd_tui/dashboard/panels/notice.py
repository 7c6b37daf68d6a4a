"""A notice in place of an empty list: the reason, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyd_core.watch.delta import ConnectionState
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.render.notice import notice
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from pyd_tui.dashboard.protocols import EngineRegistry


class Notice(TextBlock):
    """A few lines in the middle of the free space."""

    def __init__(self) -> None:
        super().__init__(id="notice")

    def show(self, connection: ConnectionState, *, total: int, filtered: str) -> None:
        """Show why there are no rows."""
        room = max(20, self.app.size.width - 8)
        demo = next((key.shown for key in keys_of(self.app).of("containers") if key.action == "demo" and key.keys), "")
        family = cast("EngineRegistry", self.app).link.family
        self.put(
            notice(
                connection,
                total=total,
                filtered=filtered,
                room=room,
                demo_key=demo if family == "engine" else "",
                family=family,
            )
        )
