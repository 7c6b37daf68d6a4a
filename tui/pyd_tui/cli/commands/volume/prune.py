"""`pyd volume prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["volumes"],
    "Remove volumes that no container uses.",
    (("pyd volume prune -a", "remove named volumes too"),),
    all_help="Remove all unused volumes, not only anonymous ones.",
)
