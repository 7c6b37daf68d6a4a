"""`pyd system …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="system",
    help="Everything about the engine itself.",
    verbs={
        "df": ("commands.system.df", "Show what takes disk space"),
        "events": ("commands.system.events", "Show what happens"),
        "info": ("commands.system.info", "Show how it is set up"),
        "prune": ("commands.system.prune:system", "Remove what nobody uses"),
    },
    examples=(
        ("pyd system df", "by kind"),
        ("pyd system prune", "lists what goes and asks"),
    ),
)
