"""The `pyd toolbox` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="toolbox",
    help="Manage the tools of the debug shell.",
    verbs={
        "ls": "List packs and the toolboxes on disk",
        "install": "Install packs or Debian packages",
        "uninstall": "Uninstall packs or packages",
        "build": "Build the toolbox",
        "search": "Search packs and Debian packages",
        "rm": "Remove a toolbox from disk",
        "push": "Push the toolbox to a registry, for debug containers in clusters",
        "export": "Export the toolbox as a tar archive",
        "import": "Import a toolbox from a tar archive",
    },
    examples=(
        ("pyd toolbox ls", "list packs, installed ones marked"),
        ("pyd toolbox install net socat", "install a pack and a Debian package for all later sessions"),
        ("pyd toolbox export tools.tar.gz", "export for a machine without a network"),
        ("pyd toolbox push registry.example/tools", "push an image for pyd debug in Kubernetes"),
    ),
)
