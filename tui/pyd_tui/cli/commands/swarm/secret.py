"""`pyd secret …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="secret",
    help="What services must keep to themselves.",
    verbs={
        "create": ("swarmkit.secrets:create_secret", "Make one"),
        "inspect": ("swarmkit.inspect_output:secrets", "Show all but what is in it"),
        "ls": ("swarmkit.secrets:list_secrets", "List them"),
        "rm": ("swarmkit.secrets:remove_secrets", "Remove them"),
    },
    examples=(("pyd secret create db-password - < file", "from standard input"),),
)
