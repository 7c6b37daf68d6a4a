"""`pyd service …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="service",
    help="The services of a swarm.",
    verbs={
        "create": ("swarmkit.service_create", "Make one"),
        "inspect": ("swarmkit.inspect_output:services", "Show all there is to know"),
        "logs": ("swarmkit.service_logs", "Show what its tasks print"),
        "ls": ("swarmkit.services:listed", "List them"),
        "ps": ("swarmkit.tasks:of_services", "List their tasks"),
        "rm": ("swarmkit.services:remove", "Remove them"),
        "rollback": ("swarmkit.services:rollback", "Go back to what one was before"),
        "scale": ("swarmkit.services:scale", "Set the number of replicas"),
        "update": ("swarmkit.service_update", "Change one"),
    },
    examples=(
        ("pyd service create --name web --replicas 3 -p 80:80 nginx", "three replicas, on a port of every node"),
        ("pyd service scale web=5", "five of them"),
    ),
)
