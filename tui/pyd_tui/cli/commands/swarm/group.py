"""`pyd swarm …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="swarm",
    help="Make, join and leave a swarm.",
    verbs={
        "ca": ("swarmkit.membership:ca", "Show or renew the root certificate"),
        "init": ("swarmkit.membership:init", "Make a swarm"),
        "join": ("swarmkit.membership:join", "Join one"),
        "join-token": ("swarmkit.membership:join_token", "Show or renew what a machine needs to join"),
        "leave": ("swarmkit.membership:leave", "Leave it"),
        "unlock": ("swarmkit.unlock:unlock", "Unlock a manager that started again"),
        "unlock-key": ("swarmkit.unlock:unlock_key", "Show or renew the key that unlocks managers"),
        "update": ("swarmkit.membership:update", "Change its settings"),
    },
    examples=(
        ("pyd swarm init --advertise-addr 10.0.0.1", "this engine becomes its first manager"),
        ("pyd swarm join-token worker", "the line to type on another machine"),
    ),
)
