"""`pyd node …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="node",
    help="The machines of a swarm.",
    verbs={
        "demote": ("swarmkit.nodes:demote", "Make managers workers"),
        "inspect": ("swarmkit.inspect_output:nodes", "Show all there is to know"),
        "ls": ("swarmkit.nodes:listed", "List them"),
        "promote": ("swarmkit.nodes:promote", "Make workers managers"),
        "ps": ("swarmkit.tasks:of_nodes", "List the tasks on them"),
        "rm": ("swarmkit.nodes:remove", "Forget those that left"),
        "update": ("swarmkit.nodes:update", "Change role, availability and labels"),
    },
    examples=(
        ("pyd node ls", "all machines"),
        ("pyd node update --availability drain worker-1", "no tasks there any more"),
    ),
)
