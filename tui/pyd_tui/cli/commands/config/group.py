"""The `pyd config` group: pyd's own settings and, as in the docker CLI, configs of a swarm."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="config",
    help="Manage pyd's settings and swarm configs.",
    verbs={
        "show": "Show all settings of pyd, defaults included",
        "edit": "Edit the settings file and check it",
        "check": "Check the settings file",
        "path": "Show the path of the settings file",
        "create": "Create a swarm config from a file or standard input",
        "inspect": "Show detailed information on one or more swarm configs",
        "ls": "List swarm configs",
        "rm": "Remove one or more swarm configs",
    },
    examples=(
        ("pyd config edit", "edit the settings in your editor, then check them"),
        ("pyd config check", "list errors with line numbers, and keys bound twice"),
        ("pyd config create site nginx.conf", "create a config for services of a swarm"),
    ),
)
