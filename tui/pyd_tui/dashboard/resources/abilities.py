"""The actions that a resource view has."""

from __future__ import annotations

from pyd_tui.dashboard.resources.base import ResourceView


def missing_actions(resource: ResourceView) -> frozenset[str]:
    """Return the actions of the browse screen that a resource doesn't have."""
    can = {
        "debug": resource.debug is not None,
        "files": resource.inspect_layers is not None or resource.files is not None,
        "pull": resource.pulls,
        "logs": resource.logs is not None,
        "remove": resource.remove is not None,
        "prune": resource.waste is not None,
        "save": resource.saves,
        "stats": resource.name in {"events", "deaths", "tasks"},
    }
    can |= dict.fromkeys(("mark", "mark_range", "mark_all"), can["remove"] or can["save"])
    return frozenset(action for action, there in can.items() if not there)
