"""`pyd network …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="network",
    help="Everything about networks.",
    verbs={
        "connect": ("commands.network.connect:connect", "Put a container on one"),
        "create": ("commands.network.create", "Make one"),
        "disconnect": ("commands.network.connect:disconnect", "Take a container off one"),
        "inspect": ("commands.inspect:networks", "Show all there is to know"),
        "ls": ("commands.network.ls", "List them"),
        "prune": ("commands.system.prune:networks", "Remove those nobody is on"),
        "rm": ("commands.network.rm", "Remove them"),
    },
    examples=(
        ("pyd network create --subnet 10.9.0.0/24 app", "with a subnet"),
        ("pyd network connect --alias db app web", "one more name there"),
    ),
)
