"""The `pyd builder history` group."""

from __future__ import annotations

from pyd_tui.cli.lazy_group import LazyGroup

command = LazyGroup(
    name="history",
    help="Show builds, their logs and results.",
    verbs={
        "ls": "List builds",
        "inspect": "Show a build's options, steps and result",
        "logs": "Show the output of a build",
        "rm": "Remove builds from the history",
    },
    aliases={
        "ls": "builder.history_ls",
        "inspect": "builder.history_inspect",
        "logs": "builder.history_logs",
        "rm": "builder.history_rm",
    },
    examples=(("pyd builder history logs", "show the output of the newest build"),),
)
