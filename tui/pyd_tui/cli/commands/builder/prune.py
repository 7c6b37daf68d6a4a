"""`pyd builder prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["builds"],
    "Remove build cache.",
    (("pyd builder prune -f", "remove it without asking"),),
    all_help="Remove all unused build cache, not only dangling entries.",
)
