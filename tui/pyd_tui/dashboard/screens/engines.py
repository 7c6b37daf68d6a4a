"""The screen of engines: those that are connected, and those of docker's contexts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.contexts import Context, Contexts
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.render.engines import COLUMNS, row
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, width
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.table import Table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_core.client.endpoint import Endpoint


class Engines(LiveScreen):
    """Lists the engines; one that doesn't answer delays nothing."""

    BINDINGS = bindings("engines", "everywhere")
    AUTO_FOCUS = "#engines"

    def compose(self) -> ComposeResult:
        """Lay out the lines from top to bottom."""
        yield Line(id="title")
        engines: Table[str] = Table(COLUMNS, self._cells, id="engines")
        yield engines
        yield Footer("engines")

    def on_mount(self) -> None:
        """Read docker's contexts, and list them."""
        self.table: Table[str] = self.query_one(Table)
        self.query_one("#title", Line).put((Span("Engines", "title"),))
        named = {link.name for link in self.dashboard.links}
        addresses = {link.endpoint.url for link in self.dashboard.links if link.endpoint is not None}
        self._contexts: dict[str, Context] = {
            context.name: context
            for context in Contexts.of_user(os.environ).list()
            if context.name not in named and context.url not in addresses
        }
        self._update()
        self.table.go_to(f"link {self.dashboard.links.index(self.dashboard.link)}")

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Update the counts."""
        del link, delta, happened
        self._update()

    def on_other_engine_changed(self) -> None:
        """Update the counts."""
        self._update()

    def ticked(self) -> None:
        """Do nothing: no age is shown here."""

    def _update(self) -> None:
        keys = [f"link {index}" for index in range(len(self.dashboard.links))]
        keys += [f"context {name}" for name in self._contexts]
        cells = [self._cells(key) for key in keys]
        natural = {column.key: max(width(row[index]) for row in cells) for index, column in enumerate(COLUMNS)}
        self.table.set_rows(keys, natural)

    def _cells(self, key: str) -> tuple[Cell, ...]:
        if (link := self._link(key)) is not None:
            entries = link.containers.values()
            connection = link.connection
            return row(
                link.label,
                connection.state if link.started else "",
                counts=(sum(entry.state == "running" for entry in entries), len(entries), link.broken),
                engine=link.engine_name,
                address=link.endpoint.url if link.endpoint is not None else "",
                error=connection.error if connection.state == "lost" else None,
            )
        context = self._contexts.get(key.removeprefix("context "))
        if context is None:
            return (EMPTY,) * len(COLUMNS)
        return row(context.name, "", counts=(0, 0, 0), engine="", address=context.url, error=None)

    def _link(self, key: str) -> EngineConnection | None:
        kind, _, index = key.partition(" ")
        return self.dashboard.links[int(index)] if kind == "link" else None

    def action_open(self) -> None:
        """Switch to the engine under the cursor; connect to it if necessary."""
        key = self.table.key or ""
        link = self._link(key)
        if link is None and (context := self._contexts.get(key.removeprefix("context "))) is not None:
            read_only = self.dashboard.link.endpoint is not None and self.dashboard.link.endpoint.read_only
            link = self.dashboard.add_engine(lambda: _endpoint(context, read_only=read_only), context.name)
        if link is not None:
            self.dashboard.use(link)

    def action_back(self) -> None:
        """Close the screen."""
        self.dismiss()


def _endpoint(context: Context, *, read_only: bool) -> Endpoint:
    return msgspec.structs.replace(context.endpoint(), read_only=read_only)
