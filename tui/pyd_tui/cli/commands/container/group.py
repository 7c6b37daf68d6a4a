"""`pyd container …`."""

from __future__ import annotations

from pyd_tui.cli.lazygroup import LazyGroup

command = LazyGroup(
    name="container",
    help="Everything about containers; most verbs are there without this word too.",
    verbs={
        "attach": ("commands.container.attach", "Take part in what its main process reads and prints"),
        "commit": ("commands.container.commit", "Make an image of it"),
        "cp": ("commands.container.cp", "Copy files"),
        "create": ("commands.container.create", "Make one without starting it"),
        "diff": ("commands.container.diff", "Show what differs from its image"),
        "exec": ("commands.container.exec", "Run a program of it inside it"),
        "export": ("commands.container.export", "Write its files as a tar"),
        "inspect": ("commands.inspect:containers", "Show all there is to know"),
        "kill": ("commands.container.kill", "Send a signal"),
        "logs": ("commands.container.logs", "Show what they print"),
        "ls": ("commands.container.ps", "List them"),
        "pause": ("commands.container.pause", "Freeze them"),
        "port": ("commands.container.port", "Show where ports are published"),
        "prune": ("commands.system.prune:containers", "Remove all that do not run"),
        "rename": ("commands.container.rename", "Give one another name"),
        "restart": ("commands.container.restart", "Stop and start them"),
        "rm": ("commands.container.rm", "Remove them"),
        "run": ("commands.container.run", "Make one and start it"),
        "start": ("commands.container.start", "Start them"),
        "stats": ("commands.container.stats", "Show what they use"),
        "stop": ("commands.container.stop", "Stop them"),
        "top": ("commands.container.top", "List processes"),
        "unpause": ("commands.container.unpause", "Let frozen ones go on"),
        "update": ("commands.container.update", "Change limits"),
        "wait": ("commands.container.wait", "Wait until they end"),
    },
    examples=(
        ("pyd container ls -a", "all of them"),
        ("pyd container prune", "remove those that do not run"),
    ),
)
