"""The `pyd swarm` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="swarm",
    help="Manage a swarm.",
    verbs={
        "ca": "Show or rotate the root certificate",
        "init": "Initialize a swarm",
        "join": "Join a swarm",
        "join-token": "Show or rotate join tokens",
        "leave": "Leave the swarm",
        "unlock": "Unlock a restarted manager",
        "unlock-key": "Show or rotate the unlock key",
        "update": "Update the settings of the swarm",
    },
    examples=(
        ("pyd swarm init --advertise-addr 10.0.0.1", "make this engine the first manager"),
        ("pyd swarm join-token worker", "show the command to run on a new worker"),
    ),
)
