"""The footer's labels of keys that depend on the container under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.render.containers import ACTIVE_STATES

if TYPE_CHECKING:
    from pyd_core.watch.container_info import ContainerInfo

CONTAINER_ACTIONS = (
    *("open", "menu", "logs", "debug", "shell", "why", "inspect", "files", "recreate", "mark"),
    *("act('stop')", "act('restart')", "act('remove')"),
)
"""Actions of a list on the container under the cursor."""
NO_FILES = {"enter": "", "download": ""}
"""Labels of the keys of a directory's entries without any."""


def row_labels(entry: ContainerInfo | None) -> dict[str, str]:
    """Return the footer's labels of keys for a container: start for a stopped one, resume for a paused one."""
    if entry is None:
        return {}
    if entry.state not in ACTIVE_STATES:
        return {"act('stop')": "", "act('restart')": "start", "shell": "", "kill": ""}
    return {"act('pause')": "resume"} if entry.state == "paused" else {}


def empty_list_labels(*, demo: bool) -> dict[str, str]:
    """Return the footer's labels of keys for a list without a row; `demo` is whether its engine takes a demo."""
    return {**dict.fromkeys(CONTAINER_ACTIONS, ""), **({"demo": "demo"} if demo else {})}
