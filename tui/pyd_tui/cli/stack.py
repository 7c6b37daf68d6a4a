"""`pyd stack …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="stack",
    help="Services deployed together.",
    verbs={
        "ls": ("swarmkit.stacks:listed", "List stacks"),
        "ps": ("swarmkit.tasks:of_stack", "List the tasks of one"),
        "rm": ("swarmkit.stacks:remove", "Remove all of one"),
        "services": ("swarmkit.stacks:services", "List the services of one"),
    },
    examples=(
        ("pyd stack ls", "what was deployed"),
        ("pyd stack services shop", "its services"),
    ),
)
