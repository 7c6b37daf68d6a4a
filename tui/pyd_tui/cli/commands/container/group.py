"""The `pyd container` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="container",
    help="Manage containers.",
    verbs={
        "attach": "Attach to a running container",
        "commit": "Create an image from a container's changes",
        "cp": "Copy files between a container and the local file system",
        "create": "Create a container without starting it",
        "diff": "Show files changed since the image",
        "exec": "Run a command in a running container",
        "export": "Export a container's file system as a tar archive",
        "inspect": "Show detailed information on one or more containers",
        "kill": "Send a signal to one or more containers",
        "logs": "Show the logs of one or more containers",
        "ls": "List containers",
        "pause": "Pause all processes of one or more containers",
        "port": "List the published ports of a container",
        "prune": "Remove all stopped containers",
        "rename": "Rename a container",
        "restart": "Restart one or more containers",
        "rm": "Remove one or more containers",
        "run": "Create, start and attach to a container",
        "start": "Start one or more containers",
        "stats": "Show the resource usage of containers",
        "stop": "Stop one or more containers",
        "top": "List the processes of a container",
        "unpause": "Unpause one or more containers",
        "update": "Update the limits of one or more containers",
        "wait": "Wait until containers stop, then print their exit codes",
    },
    aliases={"ls": "container.ps"},
    examples=(
        ("pyd container ls -a", "list all containers"),
        ("pyd container prune", "remove all stopped containers"),
    ),
)
