"""The `pyd context` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="context",
    help="Manage docker contexts, which pyd shares with the docker CLI.",
    verbs={
        "ls": "List contexts",
        "use": "Set the current context",
        "show": "Show the name of the current context",
        "create": "Create a context",
        "rm": "Remove one or more contexts",
        "inspect": "Show detailed information on one or more contexts",
    },
    examples=(
        ("pyd context ls", "list contexts, the current one marked"),
        ("pyd context use server", "set the default engine of pyd and docker"),
        ("pyd --context server ps", "use a context for one command"),
    ),
)
