"""`pyd container …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="container",
    help="Everything about containers; most verbs are there without this word too.",
    verbs={
        "attach": ("attach", "Take part in what its main process reads and prints"),
        "commit": ("commit", "Make an image of it"),
        "cp": ("cp", "Copy files"),
        "create": ("create", "Make one without starting it"),
        "diff": ("diff", "Show what differs from its image"),
        "exec": ("exec", "Run a program of it inside it"),
        "export": ("export", "Write its files as a tar"),
        "inspect": ("inspect:containers", "Show all there is to know"),
        "kill": ("kill", "Send a signal"),
        "logs": ("logs", "Show what they print"),
        "ls": ("ps", "List them"),
        "pause": ("pause", "Freeze them"),
        "port": ("port", "Show where ports are published"),
        "prune": ("prune:containers", "Remove all that do not run"),
        "rename": ("rename", "Give one another name"),
        "restart": ("restart", "Stop and start them"),
        "rm": ("rm", "Remove them"),
        "run": ("run", "Make one and start it"),
        "start": ("start", "Start them"),
        "stats": ("stats", "Show what they use"),
        "stop": ("stop", "Stop them"),
        "top": ("top", "List processes"),
        "unpause": ("unpause", "Let frozen ones go on"),
        "update": ("update", "Change limits"),
        "wait": ("wait", "Wait until they end"),
    },
    examples=(
        ("pyd container ls -a", "all of them"),
        ("pyd container prune", "remove those that do not run"),
    ),
)
