"""The `pyd stack` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="stack",
    help="Manage stacks.",
    verbs={
        "deploy": "Deploy a Compose file, after showing the changes",
        "ls": "List stacks",
        "ps": "List the tasks of a stack",
        "rm": "Remove one or more stacks",
        "services": "List the services of a stack",
    },
    examples=(
        ("pyd stack deploy -c compose.yaml shop", "show the changes, ask, and deploy"),
        ("pyd stack ls", "list deployed stacks"),
        ("pyd stack services shop", "list the services of a stack"),
    ),
)
