"""`pyd config …`: pyd's own settings, and, as in docker, files that services of a swarm read."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="config",
    help="Settings of pyd, and files that services of a swarm read.",
    verbs={
        "show": ("commands.config.settings:show", "Print all settings of pyd as they hold"),
        "edit": ("commands.config.settings:edit", "Open them in your editor, and check them"),
        "check": ("commands.config.settings:check", "Say what is wrong with them"),
        "path": ("commands.config.settings:path", "Print where their file lies"),
        "create": ("swarmkit.secrets:create_config", "Make a file that services read"),
        "inspect": ("swarmkit.inspect_output:configs", "Show all there is to know about one"),
        "ls": ("swarmkit.secrets:list_configs", "List them"),
        "rm": ("swarmkit.secrets:remove_configs", "Remove them"),
    },
    examples=(
        ("pyd config edit", "settings in your editor; checked afterwards"),
        ("pyd config check", "mistakes with their lines, keys that are set twice"),
        ("pyd config create site nginx.conf", "a file for services of a swarm"),
    ),
)
