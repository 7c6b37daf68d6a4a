"""`pyd builder …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="builder",
    help="What builders keep.",
    verbs={
        "build": ("commands.image.build", "Build an image"),
        "prune": ("commands.system.prune:builds", "Remove caches of builds"),
    },
    examples=(("pyd builder prune -f", "all that nothing refers to"),),
)
