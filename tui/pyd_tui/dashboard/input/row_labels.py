"""The footer's labels of keys that depend on the container under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.render.containers import ACTIVE_STATES

if TYPE_CHECKING:
    from pyd_core.watch.container_info import ContainerInfo


def row_labels(entry: ContainerInfo | None) -> dict[str, str]:
    """Return the footer's labels of keys for a container: start for a stopped one, resume for a paused one."""
    if entry is None:
        return {}
    if entry.state not in ACTIVE_STATES:
        return {"act('stop')": "", "act('restart')": "start", "shell": ""}
    return {"act('pause')": "resume"} if entry.state == "paused" else {}
