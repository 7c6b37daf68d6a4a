"""`pyd network …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="network",
    help="Everything about networks.",
    verbs={
        "connect": ("network_member:connect", "Put a container on one"),
        "create": ("network_create", "Make one"),
        "disconnect": ("network_member:disconnect", "Take a container off one"),
        "inspect": ("inspect:networks", "Show all there is to know"),
        "ls": ("network_list", "List them"),
        "prune": ("prune:networks", "Remove those nobody is on"),
        "rm": ("network_rm", "Remove them"),
    },
    examples=(
        ("pyd network create --subnet 10.9.0.0/24 app", "with a subnet"),
        ("pyd network connect --alias db app web", "one more name there"),
    ),
)
