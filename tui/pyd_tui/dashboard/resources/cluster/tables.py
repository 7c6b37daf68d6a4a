"""Views of any resource of a cluster, with the columns that its API server prints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pyd_core.client.provider import Provider
from pyd_core.errors import Unsupported
from pyd_core.humanize import coarse_age
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.deletion import Propagation, delete_object
from pyd_core.kube.discovery import ApiResource, find_resource
from pyd_core.kube.documents import fetch_document, to_yaml
from pyd_core.kube.model.table import ObjectTable, TableColumnDefinition, TableRow
from pyd_core.kube.tables import fetch_table
from pyd_core.model.base import parse_time
from pyd_core.model.event import Event
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.pieces import Cell, Role, cell
from pyd_tui.dashboard.resources.base import BulkPlan, LoadContext, PruneCandidate, ResourceView, Row

MAX_TABLE_COLUMNS = 8
MAX_DOCUMENT_LINES = 5_000
_BAD = ("Error", "BackOff", "Failed", "NotReady", "Unknown", "Lost", "Invalid")
_PRIORITIES = {"Status": 1, "Phase": 1, "Ready": 2, "Age": 3}
_OTHER_PRIORITY = 4
_CLASS_PRIORITY = _OTHER_PRIORITY + MAX_TABLE_COLUMNS
"""The order in which columns go where room is short: classes, the others from the right, the age, the state."""
_RIGHT = frozenset({"Age", "Data"})
"""Columns of numbers that servers declare as strings."""
_ABSENT = frozenset({"<none>", "<unset>"})
_GOOD = frozenset({"Running", "Ready", "Active", "Bound", "Completed", "True", "Succeeded"})


def cluster_of(context: LoadContext) -> ClusterClient:
    """Return the client of a cluster.

    Raises:
        Unsupported: The engine isn't one.
        EngineUnavailable: No engine answers yet.
    """
    engine = context.provider
    if not isinstance(engine, ClusterClient):
        raise Unsupported("this engine is not a cluster", hint="choose one with -H kube://CONTEXT/NAMESPACE")
    return engine


def table_view(name: str, resource_name: str) -> ResourceView:
    """Return the view of a resource.

    Args:
        name: The view's name.
        resource_name: The resource's name in the API: its plural, singular, short name or kind.
    """
    known: list[ApiResource] = []
    columns: list[LayoutColumn] = [LayoutColumn(key="name", title="NAME", min_width=16, max_width=80, priority=0)]

    async def load(context: LoadContext) -> list[Row]:
        api = cluster_of(context).cluster
        if not known:
            known.append(await find_resource(api, resource_name))
        table = await fetch_table(api, known[0])
        shown = shown_columns(table)
        columns[:] = [layout_column(table.column_definitions[index], position) for position, index in enumerate(shown)]
        return rows_of(table, shown, clock=context.clock)

    async def about(context: LoadContext, row: Row) -> list[Cell]:
        if not known:
            return nothing("not loaded yet")
        namespace, _, object_name = row.key.rpartition("/")
        return await yaml_lines(context, known[0].path(namespace, object_name))

    def path_of(row: Row) -> str:
        namespace, _, object_name = row.key.rpartition("/")
        return known[0].path(namespace, object_name)

    return ResourceView(
        name=name,
        columns=columns,
        load=load,
        about=about,
        refreshed_by=never,
        empty=f"no {name}",
        remove=remover(path_of, uid_of),
        plans=deletions(path_of, uid_of),
    )


def uid_of(row: Row) -> str:
    """Return the uid of a table's row; empty where the server sends none."""
    assert isinstance(row.thing, TableRow)  # noqa: S101 - what `rows_of` put there
    return row.thing.object.metadata.uid if row.thing.object is not None else ""


def remover(
    path_of: Callable[[Row], str], uid_of: Callable[[Row], str], propagation: Propagation = "Background"
) -> Callable[[Provider, Row], Awaitable[None]]:
    """Return the function that deletes a row's object."""

    async def remove(provider: Provider, row: Row) -> None:
        assert isinstance(provider, ClusterClient)  # noqa: S101 - only clusters have these views
        await delete_object(provider.cluster, path_of(row), uid_of(row), propagation=propagation)

    return remove


def deletions(
    path_of: Callable[[Row], str], uid_of: Callable[[Row], str]
) -> dict[str, Callable[[LoadContext, Row], Awaitable[BulkPlan]]]:
    """Return the typed commands that delete an object and say what becomes of those that it owns."""

    def command(propagation: Propagation, effect: str) -> Callable[[LoadContext, Row], Awaitable[BulkPlan]]:
        remove = remover(path_of, uid_of, propagation)

        async def plan(_: LoadContext, row: Row) -> BulkPlan:
            step = PruneCandidate(row.name, None, lambda provider: remove(provider, row))
            return BulkPlan(question=f"Delete {row.name}? {effect}", verb="delete", done="deleted", steps=[step])

        return plan

    return {
        "orphan": command("Orphan", "What it owns stays."),
        "foreground": command("Foreground", "What it owns is deleted first."),
    }


def age(time_ns: int, clock: Clock) -> str:
    """Return how long ago a time was, in a few columns."""
    return coarse_age((clock.now() - time_ns) / 1e9)


def never(_: Event) -> bool:
    """Return False: such objects send no events, and the view is refreshed by its key."""
    return False


async def yaml_lines(context: LoadContext, path: str) -> list[Cell]:
    """Return an object as lines of YAML; values of secrets are masked."""
    document = await fetch_document(cluster_of(context).cluster, path)
    lines = to_yaml(document).splitlines()
    shown = [cell(f" {line}") for line in lines[:MAX_DOCUMENT_LINES]]
    left = len(lines) - MAX_DOCUMENT_LINES
    return [*shown, *([cell(f" {left:,} more lines", "dim")] if left > 0 else [])]


def shown_columns(table: ObjectTable) -> list[int]:
    """Return the columns that a list shows: those that the server shows without `-o wide`, the name first."""
    basic = [index for index, column in enumerate(table.column_definitions) if column.priority == 0]
    named = [index for index in basic if table.column_definitions[index].format == "name"]
    return [*named, *(index for index in basic if index not in named)][:MAX_TABLE_COLUMNS]


def layout_column(column: TableColumnDefinition, position: int = 0) -> LayoutColumn:
    """Return a column for a table on the screen.

    Args:
        column: The server's column.
        position: Its index among the shown columns: of those that are as important, the last goes first.
    """
    title = "".join(piece.text for piece in cell(column.name.upper()))[:24]
    named = column.format == "name"
    if named:
        priority = 0
    elif "class" in column.name.lower():
        priority = _CLASS_PRIORITY + position
    else:
        priority = _PRIORITIES.get(column.name, _OTHER_PRIORITY + position)
    return LayoutColumn(
        key=title.lower() or "column",
        title=title,
        min_width=min(16 if named else 4, max(4, len(title))),
        max_width=80 if named else 48,
        priority=priority,
        optional=not named,
        right=column.type in {"integer", "number"} or column.name in _RIGHT,
    )


def rows_of(table: ObjectTable, shown: list[int], *, clock: Clock) -> list[Row]:
    """Return the rows of a table."""
    rows = []
    for row in table.rows:
        metadata = row.object.metadata if row.object is not None else None
        values = [row.cells[index] if index < len(row.cells) else "" for index in shown]
        name = metadata.name if metadata is not None else str(values[0] if values else "")
        namespace = metadata.namespace if metadata is not None else ""
        cells = tuple(
            value_cell(value, table.column_definitions[index], first=position == 0, clock=clock)
            for position, (index, value) in enumerate(zip(shown, values, strict=True))
        )
        created_ns = metadata.created_ns if metadata is not None else None
        if created_ns:
            written = cell(age(created_ns, clock), "dim")
            cells = tuple(
                written if table.column_definitions[index].name == "Age" else value
                for index, value in zip(shown, cells, strict=True)
            )
        labels = " ".join(f"{key}={value}" for key, value in metadata.labels.items()) if metadata is not None else ""
        rows.append(Row(key=f"{namespace}/{name}", name=name, cells=cells, thing=row, words=f"{namespace} {labels}"))
    return rows


def value_cell(value: object, column: TableColumnDefinition, *, first: bool, clock: Clock) -> Cell:
    """Return a value of a table as a cell; a time as an age."""
    text = "" if value is None or value in _ABSENT else str(value)
    if column.type in {"date", "string"} and column.name in {"Age", "Created At", "Last Schedule"}:
        time_ns = parse_time(text)
        if time_ns is not None:
            return cell(age(time_ns, clock), "dim")
    role: Role = "strong" if first else "text"
    if column.name in {"Status", "Phase"}:
        role = "bad" if any(word in text for word in _BAD) else "good" if text in _GOOD else "warn"
    return cell(text, role)
