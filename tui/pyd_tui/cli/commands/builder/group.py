"""The `pyd builder` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="builder",
    help="Manage builds.",
    verbs={
        "build": "Build an image from a Dockerfile",
        "prune": "Remove build cache",
    },
    aliases={
        "build": "image.build",
    },
    examples=(("pyd builder prune -f", "remove unreferenced build cache, without asking"),),
)
