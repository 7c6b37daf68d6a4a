"""The `pyd system` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="system",
    help="Manage the engine.",
    verbs={
        "df": "Show disk usage",
        "events": "Show events of the engine as they happen",
        "info": "Show information about the engine",
        "prune": "Remove unused data",
    },
    examples=(
        ("pyd system df", "show disk usage by kind"),
        ("pyd system prune", "list unused data, ask, and remove it"),
    ),
)
