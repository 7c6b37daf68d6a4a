"""`pyd system prune`."""

from __future__ import annotations

from pyd_tui.cli.objects.prune_command import prune_command

command = prune_command(
    ["containers", "networks", "images", "builds"],
    "Remove stopped containers, unused networks, dangling images and build cache.",
    (
        ("pyd system prune", "list unused data, ask, and remove it"),
        ("pyd system prune -a --volumes -f", "remove as much as possible"),
    ),
    all_help="Remove all images that no container uses, not only dangling ones.",
    volumes=True,
)
