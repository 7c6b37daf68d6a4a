"""`pyd image …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="image",
    help="Everything about images.",
    verbs={
        "build": ("build", "Build one from a Dockerfile"),
        "history": ("image_history", "Show how one was made"),
        "import": ("import_", "Make one of a tar of files"),
        "inspect": ("inspect:images", "Show all there is to know"),
        "load": ("load", "Load from a tar"),
        "ls": ("images", "List them"),
        "prune": ("prune:images", "Remove unused ones"),
        "pull": ("pull", "Pull from a registry"),
        "push": ("push", "Push to a registry"),
        "rm": ("rmi", "Remove them"),
        "save": ("save", "Write as a tar"),
        "tag": ("tag", "Give one another name"),
    },
    examples=(
        ("pyd image ls", "all of them"),
        ("pyd image history app", "its layers"),
        ("pyd image prune -a", "remove all that no container uses"),
    ),
)
