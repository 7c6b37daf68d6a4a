"""`pyd image …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="image",
    help="Everything about images.",
    verbs={
        "build": ("commands.image.build", "Build one from a Dockerfile"),
        "history": ("commands.image.history", "Show how one was made"),
        "import": ("commands.image.import_", "Make one of a tar of files"),
        "inspect": ("commands.inspect:images", "Show all there is to know"),
        "load": ("commands.image.load", "Load from a tar"),
        "ls": ("commands.image.ls", "List them"),
        "prune": ("commands.system.prune:images", "Remove unused ones"),
        "pull": ("commands.image.pull", "Pull from a registry"),
        "push": ("commands.image.push", "Push to a registry"),
        "rm": ("commands.image.rm", "Remove them"),
        "save": ("commands.image.save", "Write as a tar"),
        "tag": ("commands.image.tag", "Give one another name"),
    },
    examples=(
        ("pyd image ls", "all of them"),
        ("pyd image history app", "its layers"),
        ("pyd image prune -a", "remove all that no container uses"),
    ),
)
