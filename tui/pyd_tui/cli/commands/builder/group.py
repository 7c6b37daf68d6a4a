"""The `pyd builder` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="builder",
    help="Manage builds.",
    verbs={
        "build": "Build an image from a Dockerfile",
        "bake": "Build the targets of a bake or Compose file",
        "du": "Show the disk usage of the build cache",
        "history": "Show builds, their logs and results",
        "prune": "Remove build cache",
    },
    aliases={
        "build": "image.build",
        "bake": "image.bake",
    },
    examples=(
        ("pyd builder prune -f", "remove unreferenced build cache, without asking"),
        ("pyd builder history logs", "show the output of the newest build"),
    ),
)
