"""`pyd volume …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="volume",
    help="Everything about volumes.",
    verbs={
        "create": ("commands.volume.create", "Make one"),
        "inspect": ("commands.inspect:volumes", "Show all there is to know"),
        "ls": ("commands.volume.ls", "List them"),
        "prune": ("commands.system.prune:volumes", "Remove those no container uses"),
        "rm": ("commands.volume.rm", "Remove them"),
    },
    examples=(
        ("pyd volume create data", "a named one"),
        ("pyd volume ls -f dangling=true", "those no container uses"),
    ),
)
