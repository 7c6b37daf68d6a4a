"""`pyd volume …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="volume",
    help="Everything about volumes.",
    verbs={
        "create": ("volume_create", "Make one"),
        "inspect": ("inspect:volumes", "Show all there is to know"),
        "ls": ("volume_list", "List them"),
        "prune": ("prune:volumes", "Remove those no container uses"),
        "rm": ("volume_rm", "Remove them"),
    },
    examples=(
        ("pyd volume create data", "a named one"),
        ("pyd volume ls -f dangling=true", "those no container uses"),
    ),
)
