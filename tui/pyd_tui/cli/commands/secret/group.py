"""The `pyd secret` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="secret",
    help="Manage the secrets of a swarm.",
    verbs={
        "create": "Create a secret from a file or standard input",
        "inspect": "Show detailed information on one or more secrets",
        "ls": "List secrets",
        "rm": "Remove one or more secrets",
    },
    examples=(("pyd secret create db-password - < file", "create a secret from standard input"),),
)
