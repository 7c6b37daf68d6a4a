"""The `pyd network` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="network",
    help="Manage networks.",
    verbs={
        "connect": "Connect a container to a network",
        "create": "Create a network",
        "disconnect": "Disconnect a container from a network",
        "inspect": "Show detailed information on one or more networks",
        "ls": "List networks",
        "prune": "Remove all unused networks",
        "rm": "Remove one or more networks",
    },
    examples=(
        ("pyd network create --subnet 10.9.0.0/24 app", "create a network with a subnet"),
        ("pyd network connect --alias db app web", "connect a container under another name"),
    ),
)
