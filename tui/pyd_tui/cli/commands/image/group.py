"""The `pyd image` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="image",
    help="Manage images.",
    verbs={
        "build": "Build an image from a Dockerfile",
        "history": "Show the history of an image",
        "import": "Import a tar archive of files as an image",
        "inspect": "Show detailed information on one or more images",
        "load": "Load images from a tar archive",
        "ls": "List images",
        "prune": "Remove unused images",
        "pull": "Pull an image from a registry",
        "push": "Push an image to a registry",
        "rm": "Remove one or more images",
        "save": "Save one or more images to a tar archive",
        "tag": "Tag an image with another name",
    },
    examples=(
        ("pyd image ls", "list images"),
        ("pyd image history app", "list the layers of an image"),
        ("pyd image prune -a", "remove all images that no container uses"),
    ),
)
