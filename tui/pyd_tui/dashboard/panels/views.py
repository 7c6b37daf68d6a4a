"""A line of views: their digits, their names, and the open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyd_tui.dashboard.render.engines import tabs
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, width
from pyd_tui.dashboard.widgets.line import Line
from pyd_tui.dashboard.widgets.strips import join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyd_tui.dashboard.protocols import EngineListener, EngineRegistry, Navigator

VIEWS = ("containers", "images", "networks", "volumes", "events", "system")
"""Views of every engine, in the order of their digits."""
SWARM_VIEWS = ("services", "tasks", "nodes", "stacks")
"""Views of swarm managers, after those."""
CLUSTER_VIEWS = (
    *("containers", "workloads", "services", "nodes", "events", "configmaps", "secrets", "claims", "ingresses"),
    "namespaces",
)
"""Views of clusters, in the order of their digits."""
NODE_VIEWS = ("containers", "images", "events")
"""Views of nodes, in the order of their digits: a runtime has neither networks nor volumes."""
FAMILY_VIEWS = {"cluster": CLUSTER_VIEWS, "node": NODE_VIEWS}
"""Views of the families of providers that have views of their own."""
UNNUMBERED_VIEWS = ("deaths", "builds")
"""Views of engines without a digit, which are opened by name or by a click."""
FAMILY_UNNUMBERED = {"engine": UNNUMBERED_VIEWS, "node": ("deaths",)}
"""Views without a digit, by the family of the provider."""

DIGITS_COLUMNS = 34
"""Terminal columns of the digits with the longest name among them."""


def view_at_key(name: str, family: str) -> str:
    """Return the view that a key opens: keys are named after the views of engines, whose digits they are.

    Where a family has fewer views, the key keeps its name, and there is no such view.
    """
    names = (*VIEWS, *SWARM_VIEWS)
    views = FAMILY_VIEWS.get(family, names)
    index = names.index(name) if name in names else len(views)
    return views[index] if index < len(views) else name


class Views(Line):
    """Digits and names; where not all names fit, the open one's and the first others'."""

    def __init__(self, current: str) -> None:
        super().__init__(id="views")
        self._current = current
        self._shown: tuple[object, ...] = ()
        self._marked = 0
        self._hits: list[tuple[str, int, int]] = []
        """The shown views, with the first terminal column of each and the one after its last."""

    def clicked(self, x: int) -> None:
        """Open the clicked view."""
        name = next((name for name, start, end in self._hits if start <= x < end), None)
        if name is not None:
            cast("Navigator", self.app).open_view(name)

    def set_marked(self, count: int) -> None:
        """Show the number of marked rows."""
        if count != self._marked:
            self._marked = count
            self.repaint_line()

    def refresh_views(self) -> None:
        """Repaint if the engines' state has changed."""
        shown = (self._names(), self._engines(self.size.width))
        if shown != self._shown:
            self._shown = shown
            self.repaint_line()

    def _engines(self, room: int) -> Cell:
        """Return the tabs of the engines, if there are several."""
        registry = cast("EngineRegistry", self.app)
        if len(registry.links) < 2:
            return EMPTY
        shown = cast("EngineListener", self.screen).links
        known = [(link.label, link.connection.state, link.broken, link in shown) for link in registry.links]
        return tabs(known, room)

    def _names(self) -> tuple[str, ...]:
        link = cast("EngineRegistry", self.app).link
        if link.family in FAMILY_VIEWS:
            return FAMILY_VIEWS[link.family]
        swarm = link.swarm or self._current in SWARM_VIEWS
        return (*VIEWS, *SWARM_VIEWS) if swarm else VIEWS

    def _named(self, names: Sequence[str], room: int) -> set[str]:
        """Return the views whose names fit next to the digits of all: the open one, and the first others."""
        named = {name for name in names if name == self._current}
        left = room - (3 * len(names) - 2) - sum(len(name) + 1 for name in named)
        for name in names:
            if name not in named:
                left -= len(name) + 1
                if left < 0:
                    break
                named.add(name)
        return named

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the names."""
        marked: Cell = (Span(f"◆ {self._marked:,} marked", "accent"),) if self._marked else EMPTY
        engines = join((marked, self._engines(room - DIGITS_COLUMNS - width(marked))), "   ")
        room -= width(engines) + 3 * bool(engines)
        names = self._names()
        named = self._named(names, room)
        short = len(named) < len(names)
        pieces: list[Span] = []
        self._hits = []
        for digit, name in enumerate(names, 1):
            current = name == self._current
            pieces.append(Span("  " if pieces else ""))
            start = width(pieces)
            pieces.append(Span(str(digit % 10), "accent" if not current else "title"))
            if name in named:
                pieces.append(Span(f" {name.capitalize()}", "title" if current else "dim"))
            self._hits.append((name, start, width(pieces)))
        unnumbered = FAMILY_UNNUMBERED.get(cast("EngineRegistry", self.app).link.family, ())
        room -= width(pieces) + sum(len(name) + 3 for name in unnumbered if name == self._current)
        for name in unnumbered:
            current = name == self._current
            if not current and (short or len(name) + 3 > room):
                continue
            room -= 0 if current else len(name) + 3
            pieces.append(Span("  "))
            start = width(pieces)
            pieces += (Span(":", "title" if current else "accent"), Span(name, "title" if current else "dim"))
            self._hits.append((name, start, width(pieces)))
        return tuple(pieces), engines
