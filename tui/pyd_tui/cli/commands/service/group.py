"""The `pyd service` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="service",
    help="Manage the services of a swarm.",
    verbs={
        "create": "Create a service",
        "inspect": "Show detailed information on one or more services",
        "logs": "Show the logs of a service's tasks",
        "ls": "List services",
        "ps": "List the tasks of one or more services",
        "rm": "Remove one or more services",
        "rollback": "Revert a service to its previous configuration",
        "scale": "Scale one or more replicated services",
        "update": "Update a service",
    },
    examples=(
        ("pyd service create --name web --replicas 3 -p 80:80 nginx", "run three replicas, published on every node"),
        ("pyd service scale web=5", "scale a service to five replicas"),
    ),
)
