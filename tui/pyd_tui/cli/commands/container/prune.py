"""`pyd container prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["containers"],
    "Remove all stopped containers.",
    (("pyd container prune", "list stopped containers, ask, and remove them"),),
)
