"""`pyd image prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["images"],
    "Remove dangling images, or all unused ones.",
    (("pyd image prune -a --filter until=240h", "remove unused images older than ten days"),),
    all_help="Remove all images that no container uses, not only dangling ones.",
)
