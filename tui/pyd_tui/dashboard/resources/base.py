"""The parts of a resource view: its columns, its loader and its actions, as data."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.provider import Provider, engine_of
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
    from pyd_tui.dashboard.resources.volume_access import VolumeAccess


@dataclass(slots=True)
class LoadContext:
    """The data that loaders use and keep."""

    link: EngineConnection
    clock: Clock
    inside: dict[str, ImageContents] = field(default_factory=dict)
    """The contents of inspected layers, by the image's id."""
    disk: DiskUsage | None = None
    """The disk usage measured last; engines take seconds for it."""
    room: int = 100
    """The terminal columns of wrapped text in details."""

    @property
    def engine(self) -> EngineClient:
        """The client of the engine.

        Raises:
            EngineUnavailable: No engine answers yet.
            Unsupported: The provider is no engine.
        """
        return engine_of(self.provider)

    @property
    def provider(self) -> Provider:
        """The client of the provider, which may be no engine.

        Raises:
            EngineUnavailable: It doesn't answer yet.
        """
        if self.link.engine is None:
            raise EngineUnavailable("no engine answers yet")
        return self.link.engine

    async def measure(self) -> None:
        """Measure the engine's disk usage."""
        self.disk = await self.engine.system.disk_usage()


def singular(name: str) -> str:
    """Return the name of one object of a view or of a resource, whose group stays: `ingress`, `policy`, `claim`."""
    plural, dot, group = name.partition(".")
    if plural.endswith("ies"):
        plural = f"{plural[:-3]}y"
    elif plural.endswith(("sses", "shes", "tches", "xes", "tuses")):
        plural = plural[:-2]
    elif not plural.endswith("ss"):
        plural = plural.removesuffix("s")
    return f"{plural}{dot}{group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a view.

    Attributes:
        key: Identifies the row across loads.
        name: The name in questions and reports; hostile.
        cells: One for each column.
        thing: The object, for the functions of the resource view.
        words: More text that filters look into.
        ranks: The numbers that columns are sorted by, by the column's key, where their texts don't sort: times.
    """

    key: str
    name: str
    cells: tuple[Cell, ...]
    thing: object
    words: str = ""
    ranks: Mapping[str, float] = field(default_factory=dict)

    def matches(self, text: str) -> bool:
        """Return whether a filter shows the row."""
        return matches(text, [self.name, self.words, *("".join(piece.text for piece in cell) for cell in self.cells)])


@dataclass(frozen=True, slots=True)
class PruneCandidate:
    """An unused object: its name, the bytes that its removal frees, if known, and how to remove it."""

    name: str
    size: int | None
    remove: Callable[[Provider], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPlan:
    """Steps that a command asks about before it takes them."""

    question: str
    verb: str
    """The word for one step: `drain`."""
    done: str
    """The word of the report: `drained`."""
    steps: Sequence[PruneCandidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    """A view of one resource.

    Attributes:
        name: The name after `:`, in the plural and lower case.
        columns: The columns of the table.
        load: Returns the rows, in order.
        about: Returns the details of one row.
        follow: Returns the details of one row as they change, until they no longer do; None if they don't.
        refreshed_by: Returns whether an event requires loading the rows again.
        empty: The message shown when there are no rows.
        remove: Removes a row's object, where that is possible.
        waste: Returns what prune would remove, for the row under the cursor.
        measures: Whether `^r` asks for sizes too.
        measures_on_open: Whether opening the view asks for sizes too.
        inspect_layers: Reads the layers of a row's image, which may take a while; reports its progress.
        files: Returns the access to the files in a row's object.
        logs: Returns the names, by id, of the tasks whose logs belong to a row.
        debug: Returns the name by which `pyd debug` enters a row's object; None where it can't.
        delay_s: The delay in seconds from an event until the engine returns the changed rows.
        commands: Typed commands on a row, each returning its report.
        plans: Typed commands that list what they do and ask first.
        pulls: Whether a row's image can be pulled again.
        saves: Whether rows can be saved to files.
        container: Returns the id of the container that a row links to.
        moment: Returns the time of a row's event, nanoseconds since the epoch; 0 for a row that is no event.
    """

    name: str
    columns: Sequence[LayoutColumn]
    load: Callable[[LoadContext], Awaitable[list[Row]]]
    about: Callable[[LoadContext, Row], Awaitable[list[Cell]]]
    refreshed_by: Callable[[Event], bool]
    empty: str
    remove: Callable[[Provider, Row], Awaitable[object]] | None = None
    waste: Callable[[LoadContext, Row], Awaitable[list[PruneCandidate]]] | None = None
    inspect_layers: Callable[[LoadContext, Row, Callable[[str], None]], Awaitable[None]] | None = None
    files: Callable[[LoadContext, Row], Awaitable[VolumeAccess]] | None = None
    logs: Callable[[LoadContext, Row], Awaitable[dict[str, str]]] | None = None
    debug: Callable[[Row], str | None] | None = None
    delay_s: float = 0
    pulls: bool = False
    saves: bool = False
    measures: bool = False
    measures_on_open: bool = False
    commands: Mapping[str, Callable[[LoadContext, Row, tuple[str, ...]], Awaitable[str]]] = field(default_factory=dict)
    plans: Mapping[str, Callable[[LoadContext, Row], Awaitable[BulkPlan]]] = field(default_factory=dict)
    container: Callable[[Row], str | None] = field(default=lambda _: None)
    moment: Callable[[Row], int] = field(default=lambda _: 0)
    follow: Callable[[LoadContext, Row], AsyncGenerator[list[Cell], None] | None] = field(default=lambda *_: None)

    def natural(self, rows: Sequence[Row]) -> dict[str, int]:
        """Return the width of each column's widest cell."""
        return {
            column.key: max((width(row.cells[index]) for row in rows), default=0)
            for index, column in enumerate(self.columns)
        }


def by_type(*types: str) -> Callable[[Event], bool]:
    """Return a predicate for events of these types, and of created and removed containers, which use these objects."""

    def refreshes(event: Event) -> bool:
        return event.type in types or (event.type == "container" and event.verb in {"create", "destroy"})

    return refreshes
