"""What makes a view: a noun with its columns, its loader, and what can be done to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import EngineUnavailable
from pyd_core.model.event import Event
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, width
from pyd_tui.dashboard.resources.text_filter import matches

if TYPE_CHECKING:
    from pyd_core.layers.content import ImageContents
    from pyd_core.model.system import DiskUsage
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.render.figures import Clock


@dataclass(slots=True)
class LoadContext:
    """What loaders draw on."""

    link: EngineConnection
    clock: Clock
    inside: dict[str, ImageContents] = field(default_factory=dict)
    """What is in the layers of images that somebody looked into, by the image's id."""
    disk: DiskUsage | None = None
    """What took how much room when somebody last asked; engines take seconds to find out."""
    room: int = 100
    """Terminal columns of a line about a row, for prose."""

    @property
    def engine(self) -> EngineClient:
        """The engine.

        Raises:
            EngineUnavailable: There is none yet.
        """
        if self.link.engine is None:
            raise EngineUnavailable("no engine answers yet")
        return self.link.engine

    async def measure(self) -> None:
        """Asks the engine what takes how much room."""
        self.disk = await self.engine.system.disk_usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a view.

    Attributes:
        key: Identifies it from one load to the next.
        name: What questions and reports call it; hostile.
        cells: One for each column.
        thing: What it stands for, for the noun's own functions.
        words: What a filter looks into beside the cells.
    """

    key: str
    name: str
    cells: tuple[Cell, ...]
    thing: object
    words: str = ""

    def matches(self, text: str) -> bool:
        """Return whether a filter shows the row."""
        return matches(text, [self.name, self.words, *("".join(piece.text for piece in cell) for cell in self.cells)])


@dataclass(frozen=True, slots=True)
class PruneCandidate:
    """Something that nothing uses: its name, the bytes its removal frees where that is known, and how to remove it."""

    name: str
    size: int | None
    remove: Callable[[EngineClient], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    """A view.

    Attributes:
        name: In the plural and lower case; what `:` takes.
        columns: Of its table.
        load: Returns the rows, in order.
        about: Returns the lines about one row.
        renewed_by: Whether an event makes the rows be loaded again.
        empty: What stands there when there are none.
        remove: Removes one, where that can be done.
        waste: Returns what prune would remove, for the row under the cursor.
        measures: Whether `^r` asks for sizes too; where it is the view's purpose, opening asks once.
        dig: Looks into a row's thing, which may take a while; says how far it is.
        logs: Returns the names, by their ids, of the tasks whose logs belong to a row.
        lags: Seconds by which what the engine tells of rows comes later than the events that renew them.
        container: Returns the id of the container a row leads to.
        moment: Returns when that happened which a row tells of, nanoseconds since the epoch; 0 for what is no event.
    """

    name: str
    columns: Sequence[LayoutColumn]
    load: Callable[[LoadContext], Awaitable[list[Row]]]
    about: Callable[[LoadContext, Row], Awaitable[list[Cell]]]
    renewed_by: Callable[[Event], bool]
    empty: str
    remove: Callable[[EngineClient, Row], Awaitable[object]] | None = None
    waste: Callable[[LoadContext, Row], Awaitable[list[PruneCandidate]]] | None = None
    dig: Callable[[LoadContext, Row, Callable[[str], None]], Awaitable[None]] | None = None
    logs: Callable[[LoadContext, Row], Awaitable[dict[str, str]]] | None = None
    lags: float = 0
    measures: bool = False
    measures_at_once: bool = False
    container: Callable[[Row], str | None] = field(default=lambda _: None)
    moment: Callable[[Row], int] = field(default=lambda _: 0)

    def natural(self, rows: Sequence[Row]) -> dict[str, int]:
        """Returns the width that each column's widest content wants."""
        return {
            column.key: max((width(row.cells[at]) for row in rows), default=0) for at, column in enumerate(self.columns)
        }


def by_type(*types: str) -> Callable[[Event], bool]:
    """Renewed by events of these types, and by containers that come and go, for they are what uses things."""

    def renews(event: Event) -> bool:
        return event.type in types or (event.type == "container" and event.verb in {"create", "destroy"})

    return renews
