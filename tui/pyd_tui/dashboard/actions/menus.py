"""The entries of the context menu, by what a container allows in its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_tui.dashboard.render.containers import ACTIVE_STATES
from pyd_tui.dashboard.screens.menu import MenuEntry

if TYPE_CHECKING:
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.input.keymap import Key

CONTAINER_MENU: tuple[tuple[str, str, str], ...] = (
    ("open", "details", ""),
    ("why", "why: what is wrong with it", ""),
    ("logs", "its log", ""),
    ("project-logs", "the logs of its project", "project"),
    ("debug", "a debug shell in it, with tools", ""),
    ("shell", "its own shell", "running"),
    ("stats", "its resource usage", ""),
    ("files", "its files", ""),
    ("inspect", "the engine's inspect data", ""),
    ("start", "start it", "inactive"),
    ("recreate", "recreate it with changes (undoable)", ""),
    ("limits", "change its limits", ""),
    ("rename", "rename it", ""),
    ("commit", "commit its files to an image", ""),
    ("export", "export its files as a tar", ""),
    ("compose", "its Compose project: up, down …", "project"),
    ("connect", "connect it to a network", ""),
    ("disconnect", "disconnect it from a network", ""),
    ("resume", "resume it", "paused"),
    ("pull", "pull its image again (asks)", ""),
    ("pause", "pause it", "running"),
    ("stop", "stop it", "active"),
    ("restart", "restart it", "active"),
    ("kill", "send it a signal", "active"),
    ("remove", "remove it (asks)", ""),
)
"""Entries in order: the name of the key or command, the text, and the state in which it makes sense."""
DESTRUCTIVE = frozenset({"pause", "stop", "restart", "kill", "remove", "prune", "disconnect"})
FOR_SEVERAL = frozenset(
    {"logs", "limits", "start", "stop", "restart", "pause", "resume", "kill", "remove", "connect", "disconnect"}
)
_KEYS = {"start": "restart", "resume": "pause"}
"""Entries that share the key of another."""


def allows(entry: ContainerInfo, condition: str) -> bool:
    """Return whether a container is in a state in which an entry makes sense."""
    match condition:
        case "active":
            return entry.state in ACTIVE_STATES
        case "inactive":
            return entry.state not in ACTIVE_STATES
        case "running" | "paused":
            return entry.state == condition
        case "project":
            return bool(entry.project)
        case _:
            return True


def container_menu(
    entries: Sequence[ContainerInfo], keys: Sequence[Key], run: Mapping[str, Callable[[], object]]
) -> list[MenuEntry]:
    """Return the entries for containers.

    Args:
        entries: The containers; several allow only what makes sense for several.
        keys: The effective keys of the screen.
        run: The functions of the screen, by name; entries without one are left out.
    """
    by_name = {key.name: key.shown for key in keys if key.keys}
    return [
        MenuEntry(
            key=by_name.get(_KEYS.get(name, name), ""),
            text=text,
            run=run[name],
            destructive=name in DESTRUCTIVE,
        )
        for name, text, condition in CONTAINER_MENU
        if name in run
        and any(allows(entry, condition) for entry in entries)
        and (len(entries) == 1 or name in FOR_SEVERAL)
    ]
