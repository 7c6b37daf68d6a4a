"""The `pyd volume` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="volume",
    help="Manage volumes.",
    verbs={
        "create": "Create a volume",
        "inspect": "Show detailed information on one or more volumes",
        "ls": "List volumes",
        "prune": "Remove unused volumes",
        "rm": "Remove one or more volumes",
    },
    examples=(
        ("pyd volume create data", "create a named volume"),
        ("pyd volume ls -f dangling=true", "list volumes that no container uses"),
    ),
)
