"""The `pyd node` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="node",
    help="Manage the nodes of a swarm.",
    verbs={
        "demote": "Demote one or more managers to workers",
        "inspect": "Show detailed information on one or more nodes",
        "ls": "List nodes",
        "promote": "Promote one or more workers to managers",
        "ps": "List the tasks on one or more nodes",
        "rm": "Remove one or more nodes from the swarm",
        "update": "Update a node",
    },
    examples=(
        ("pyd node ls", "list all nodes"),
        ("pyd node update --availability drain worker-1", "move all tasks off a node"),
    ),
)
