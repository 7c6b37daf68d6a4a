"""`pyd network prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["networks"],
    "Remove all networks that no container uses.",
    (("pyd network prune -f", "remove them without asking"),),
)
