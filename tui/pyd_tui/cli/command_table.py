"""All verbs of `pyd`: one line each, so that help and completion need none of their modules."""

from __future__ import annotations

import msgspec


class CommandEntry(msgspec.Struct, frozen=True):
    """A verb.

    Attributes:
        module: Where its `command` is, a `click.Command`.
        summary: One line of help.
        section: The heading it stands under in `pyd --help`; empty keeps it out of there.
    """

    module: str
    summary: str
    section: str


SEE = "See"
ENTER = "Enter"
RUN = "Run"
IMAGES = "Images"
GROUPS = "By kind"
SWARM = "Swarm"
CHANGE = "Change"
ENGINE = "Engine"

VERBS: dict[str, CommandEntry] = {
    "ps": CommandEntry("pyd_tui.cli.commands.container.ps", "List containers", SEE),
    "images": CommandEntry("pyd_tui.cli.commands.image.ls", "List images", SEE),
    "logs": CommandEntry(
        "pyd_tui.cli.commands.container.logs", "Show what containers print, several merged in time order", SEE
    ),
    "stats": CommandEntry(
        "pyd_tui.cli.commands.container.stats", "Show processor, memory, network and disk use, live", SEE
    ),
    "top": CommandEntry("pyd_tui.cli.commands.container.top", "List the processes in a container", SEE),
    "events": CommandEntry("pyd_tui.cli.commands.system.events", "Show what happens on the engine, as it happens", SEE),
    "port": CommandEntry("pyd_tui.cli.commands.container.port", "Show where ports are published", SEE),
    "diff": CommandEntry("pyd_tui.cli.commands.container.diff", "Show which files differ from the image", SEE),
    "inspect": CommandEntry("pyd_tui.cli.commands.inspect", "Show all there is to know about an object", SEE),
    "triage": CommandEntry(
        "pyd_tui.cli.commands.triage.triage", "Say why containers died or what is wrong with them", SEE
    ),
    "history": CommandEntry(
        "pyd_tui.cli.commands.triage.history", "Show how containers died, also those that are gone", SEE
    ),
    "debug": CommandEntry("pyd_tui.cli.commands.debug.group", "Open a shell with tools inside any container", ENTER),
    "toolbox": CommandEntry(
        "pyd_tui.cli.commands.debug.toolbox", "See and change what tools a debug shell brings", ENTER
    ),
    "exec": CommandEntry("pyd_tui.cli.commands.container.exec", "Run a program of the container inside it", ENTER),
    "attach": CommandEntry(
        "pyd_tui.cli.commands.container.attach", "Take part in what a container reads and prints", ENTER
    ),
    "cp": CommandEntry("pyd_tui.cli.commands.container.cp", "Copy files into containers and out of them", ENTER),
    "run": CommandEntry("pyd_tui.cli.commands.container.run", "Make a container, start it and take part in it", RUN),
    "create": CommandEntry("pyd_tui.cli.commands.container.create", "Make a container without starting it", RUN),
    "start": CommandEntry("pyd_tui.cli.commands.container.start", "Start containers", CHANGE),
    "stop": CommandEntry("pyd_tui.cli.commands.container.stop", "Stop containers", CHANGE),
    "restart": CommandEntry("pyd_tui.cli.commands.container.restart", "Stop and start containers", CHANGE),
    "kill": CommandEntry("pyd_tui.cli.commands.container.kill", "Send a signal to containers", CHANGE),
    "pause": CommandEntry("pyd_tui.cli.commands.container.pause", "Freeze containers", CHANGE),
    "unpause": CommandEntry("pyd_tui.cli.commands.container.unpause", "Let frozen containers go on", CHANGE),
    "wait": CommandEntry("pyd_tui.cli.commands.container.wait", "Wait until containers end, and say how", CHANGE),
    "rm": CommandEntry("pyd_tui.cli.commands.container.rm", "Remove containers", CHANGE),
    "rename": CommandEntry("pyd_tui.cli.commands.container.rename", "Give a container another name", CHANGE),
    "update": CommandEntry(
        "pyd_tui.cli.commands.container.update", "Change limits and restart policy of containers", CHANGE
    ),
    "pull": CommandEntry("pyd_tui.cli.commands.image.pull", "Pull an image from its registry", IMAGES),
    "push": CommandEntry("pyd_tui.cli.commands.image.push", "Push an image to its registry", IMAGES),
    "tag": CommandEntry("pyd_tui.cli.commands.image.tag", "Give an image another name", IMAGES),
    "rmi": CommandEntry("pyd_tui.cli.commands.image.rm", "Remove images", IMAGES),
    "save": CommandEntry("pyd_tui.cli.commands.image.save", "Write images as a tar", IMAGES),
    "load": CommandEntry("pyd_tui.cli.commands.image.load", "Load images from a tar", IMAGES),
    "import": CommandEntry("pyd_tui.cli.commands.image.import_", "Make an image of a tar of files", IMAGES),
    "export": CommandEntry("pyd_tui.cli.commands.container.export", "Write a container's files as a tar", IMAGES),
    "commit": CommandEntry("pyd_tui.cli.commands.container.commit", "Make an image of a container as it is", IMAGES),
    "search": CommandEntry("pyd_tui.cli.commands.registry.search", "Look for images in the public registry", IMAGES),
    "login": CommandEntry("pyd_tui.cli.commands.registry.login", "Log in to a registry", IMAGES),
    "logout": CommandEntry("pyd_tui.cli.commands.registry.logout", "Forget the credentials for a registry", IMAGES),
    "container": CommandEntry("pyd_tui.cli.commands.container.group", "Everything about containers", GROUPS),
    "image": CommandEntry("pyd_tui.cli.commands.image.group", "Everything about images", GROUPS),
    "network": CommandEntry(
        "pyd_tui.cli.commands.network.group", "Make, list and remove networks, and join them", GROUPS
    ),
    "volume": CommandEntry("pyd_tui.cli.commands.volume.group", "Make, list and remove volumes", GROUPS),
    "builder": CommandEntry("pyd_tui.cli.commands.builder", "What builders keep", GROUPS),
    "system": CommandEntry("pyd_tui.cli.commands.system.group", "Disk use, pruning, events of the engine", GROUPS),
    "swarm": CommandEntry("pyd_tui.cli.commands.swarm.group", "Make, join and leave a swarm", SWARM),
    "node": CommandEntry("pyd_tui.cli.commands.swarm.node", "The machines of a swarm", SWARM),
    "service": CommandEntry("pyd_tui.cli.commands.swarm.service", "The services of a swarm", SWARM),
    "stack": CommandEntry("pyd_tui.cli.commands.swarm.stack", "Services deployed together", SWARM),
    "secret": CommandEntry("pyd_tui.cli.commands.swarm.secret", "What services must keep to themselves", SWARM),
    "build": CommandEntry("pyd_tui.cli.commands.image.build", "Build an image from a Dockerfile", IMAGES),
    "demo": CommandEntry("pyd_tui.cli.commands.demo", "Bring a small playground up, or take it down", RUN),
    "compose": CommandEntry("pyd_tui.cli.commands.compose", "Run the compose tool against the chosen engine", RUN),
    "daemon": CommandEntry("pyd_tui.cli.commands.system.daemon", "Run the embedded engine", ENGINE),
    "record": CommandEntry(
        "pyd_tui.cli.commands.triage.record", "Write down how containers die, until told to end", ENGINE
    ),
    "context": CommandEntry("pyd_tui.cli.commands.context", "Make, list and choose docker contexts", ENGINE),
    "info": CommandEntry("pyd_tui.cli.commands.system.info", "Show how the engine is set up and what it holds", ENGINE),
    "version": CommandEntry(
        "pyd_tui.cli.commands.system.version", "Show the versions of pyd and of the engine", ENGINE
    ),
    "config": CommandEntry(
        "pyd_tui.cli.commands.config.group", "Show, edit and check the settings; files that services read", ENGINE
    ),
    "completion": CommandEntry(
        "pyd_tui.cli.commands.completion", "Print a completion script for bash, zsh or fish", ""
    ),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("pyd", "open the dashboard"),
    ("pyd ps -a", "all containers, the dead with their exit codes"),
    ("pyd logs -f web db", "follow two containers, in time order"),
    ("pyd debug web", "a shell with tools inside web, whatever its image lacks"),
    ("pyd -H ssh://me@server ps", "containers of another machine"),
)
