"""`pyd config …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="config",
    help="Files that services read.",
    verbs={
        "create": ("swarmkit.secrets:create_config", "Make one"),
        "inspect": ("swarmkit.inspecting:configs", "Show all there is to know"),
        "ls": ("swarmkit.secrets:list_configs", "List them"),
        "rm": ("swarmkit.secrets:remove_configs", "Remove them"),
    },
    examples=(("pyd config create site nginx.conf", "from a file"),),
)
