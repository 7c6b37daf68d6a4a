"""The entries of the context menu of a row of any view but the containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyd_tui.dashboard.screens.menu import MenuEntry

if TYPE_CHECKING:
    from pyd_tui.dashboard.resources.base import ResourceView

ORDER = ("open", "logs", "files", "stats", "save", "pull", "refresh", "remove", "prune")
"""The entries in order, by the names of their keys."""
FOR_SEVERAL = frozenset({"save", "remove", "refresh"})
DESTRUCTIVE = frozenset({"remove", "prune"})


def row_entries(
    resource: ResourceView, keys: Mapping[str, str], run: Mapping[str, Callable[[], object]], *, count: int
) -> list[MenuEntry]:
    """Return the entries for rows.

    Args:
        resource: The view.
        keys: The keys as users write them, by action.
        run: The functions of the screen, by action; entries without one are left out.
        count: The number of rows; several allow only what makes sense for several.
    """
    texts = {
        "open": "details",
        "logs": "its logs",
        "files": "its files" if resource.files is not None else "inspect its layers",
        "stats": "the container's resource usage at that time",
        "save": "save it to a file" if count == 1 else "save them to a file",
        "pull": "pull it again (asks)",
        "refresh": "refresh the view, with sizes" if resource.measures else "refresh the view",
        "remove": "remove it (asks)" if count == 1 else f"remove all {count} (asks)",
        "prune": f"remove all unused {resource.name} (lists them and asks)"
        if resource.name != "system"
        else "remove what is unused (lists it and asks)",
    }
    return [
        MenuEntry(key=keys.get(name, ""), text=texts[name], run=run[name], destructive=name in DESTRUCTIVE)
        for name in ORDER
        if name in run and (count == 1 or name in FOR_SEVERAL)
    ]
