"""`pyd stack …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="stack",
    help="Services deployed together.",
    verbs={
        "deploy": ("swarmkit.stack_deploy", "Deploy a Compose file, after showing what changes"),
        "ls": ("swarmkit.stacks:listed", "List stacks"),
        "ps": ("swarmkit.tasks:of_stack", "List the tasks of one"),
        "rm": ("swarmkit.stacks:remove", "Remove all of one"),
        "services": ("swarmkit.stacks:services", "List the services of one"),
    },
    examples=(
        ("pyd stack deploy -c compose.yaml shop", "services of a file; shows what changes, and asks"),
        ("pyd stack ls", "what was deployed"),
        ("pyd stack services shop", "its services"),
    ),
)
