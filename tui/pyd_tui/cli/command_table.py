"""All verbs of `pyd`: one line each, so that help and completion need none of their modules."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True):
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

VERBS: dict[str, Entry] = {
    "ps": Entry("pyd_tui.cli.commands.container.ps", "List containers", SEE),
    "images": Entry("pyd_tui.cli.commands.image.ls", "List images", SEE),
    "logs": Entry(
        "pyd_tui.cli.commands.container.logs", "Show what containers print, several merged in time order", SEE
    ),
    "stats": Entry("pyd_tui.cli.commands.container.stats", "Show processor, memory, network and disk use, live", SEE),
    "top": Entry("pyd_tui.cli.commands.container.top", "List the processes in a container", SEE),
    "events": Entry("pyd_tui.cli.commands.system.events", "Show what happens on the engine, as it happens", SEE),
    "port": Entry("pyd_tui.cli.commands.container.port", "Show where ports are published", SEE),
    "diff": Entry("pyd_tui.cli.commands.container.diff", "Show which files differ from the image", SEE),
    "inspect": Entry("pyd_tui.cli.commands.inspect", "Show all there is to know about an object", SEE),
    "triage": Entry("pyd_tui.cli.commands.triage.triage", "Say why containers died or what is wrong with them", SEE),
    "history": Entry("pyd_tui.cli.commands.triage.history", "Show how containers died, also those that are gone", SEE),
    "debug": Entry("pyd_tui.cli.commands.debug.group", "Open a shell with tools inside any container", ENTER),
    "toolbox": Entry("pyd_tui.cli.commands.debug.toolbox", "See and change what tools a debug shell brings", ENTER),
    "exec": Entry("pyd_tui.cli.commands.container.exec", "Run a program of the container inside it", ENTER),
    "attach": Entry("pyd_tui.cli.commands.container.attach", "Take part in what a container reads and prints", ENTER),
    "cp": Entry("pyd_tui.cli.commands.container.cp", "Copy files into containers and out of them", ENTER),
    "run": Entry("pyd_tui.cli.commands.container.run", "Make a container, start it and take part in it", RUN),
    "create": Entry("pyd_tui.cli.commands.container.create", "Make a container without starting it", RUN),
    "start": Entry("pyd_tui.cli.commands.container.start", "Start containers", CHANGE),
    "stop": Entry("pyd_tui.cli.commands.container.stop", "Stop containers", CHANGE),
    "restart": Entry("pyd_tui.cli.commands.container.restart", "Stop and start containers", CHANGE),
    "kill": Entry("pyd_tui.cli.commands.container.kill", "Send a signal to containers", CHANGE),
    "pause": Entry("pyd_tui.cli.commands.container.pause", "Freeze containers", CHANGE),
    "unpause": Entry("pyd_tui.cli.commands.container.unpause", "Let frozen containers go on", CHANGE),
    "wait": Entry("pyd_tui.cli.commands.container.wait", "Wait until containers end, and say how", CHANGE),
    "rm": Entry("pyd_tui.cli.commands.container.rm", "Remove containers", CHANGE),
    "rename": Entry("pyd_tui.cli.commands.container.rename", "Give a container another name", CHANGE),
    "update": Entry("pyd_tui.cli.commands.container.update", "Change limits and restart policy of containers", CHANGE),
    "pull": Entry("pyd_tui.cli.commands.image.pull", "Pull an image from its registry", IMAGES),
    "push": Entry("pyd_tui.cli.commands.image.push", "Push an image to its registry", IMAGES),
    "tag": Entry("pyd_tui.cli.commands.image.tag", "Give an image another name", IMAGES),
    "rmi": Entry("pyd_tui.cli.commands.image.rm", "Remove images", IMAGES),
    "save": Entry("pyd_tui.cli.commands.image.save", "Write images as a tar", IMAGES),
    "load": Entry("pyd_tui.cli.commands.image.load", "Load images from a tar", IMAGES),
    "import": Entry("pyd_tui.cli.commands.image.import_", "Make an image of a tar of files", IMAGES),
    "export": Entry("pyd_tui.cli.commands.container.export", "Write a container's files as a tar", IMAGES),
    "commit": Entry("pyd_tui.cli.commands.container.commit", "Make an image of a container as it is", IMAGES),
    "search": Entry("pyd_tui.cli.commands.registry.search", "Look for images in the public registry", IMAGES),
    "login": Entry("pyd_tui.cli.commands.registry.login", "Log in to a registry", IMAGES),
    "logout": Entry("pyd_tui.cli.commands.registry.logout", "Forget the credentials for a registry", IMAGES),
    "container": Entry("pyd_tui.cli.commands.container.group", "Everything about containers", GROUPS),
    "image": Entry("pyd_tui.cli.commands.image.group", "Everything about images", GROUPS),
    "network": Entry("pyd_tui.cli.commands.network.group", "Make, list and remove networks, and join them", GROUPS),
    "volume": Entry("pyd_tui.cli.commands.volume.group", "Make, list and remove volumes", GROUPS),
    "builder": Entry("pyd_tui.cli.commands.builder", "What builders keep", GROUPS),
    "system": Entry("pyd_tui.cli.commands.system.group", "Disk use, pruning, events of the engine", GROUPS),
    "swarm": Entry("pyd_tui.cli.commands.swarm.group", "Make, join and leave a swarm", SWARM),
    "node": Entry("pyd_tui.cli.commands.swarm.node", "The machines of a swarm", SWARM),
    "service": Entry("pyd_tui.cli.commands.swarm.service", "The services of a swarm", SWARM),
    "stack": Entry("pyd_tui.cli.commands.swarm.stack", "Services deployed together", SWARM),
    "secret": Entry("pyd_tui.cli.commands.swarm.secret", "What services must keep to themselves", SWARM),
    "build": Entry("pyd_tui.cli.commands.image.build", "Build an image from a Dockerfile", IMAGES),
    "demo": Entry("pyd_tui.cli.commands.demo", "Bring a small playground up, or take it down", RUN),
    "compose": Entry("pyd_tui.cli.commands.compose", "Run the compose tool against the chosen engine", RUN),
    "daemon": Entry("pyd_tui.cli.commands.system.daemon", "Run the embedded engine", ENGINE),
    "record": Entry("pyd_tui.cli.commands.triage.record", "Write down how containers die, until told to end", ENGINE),
    "context": Entry("pyd_tui.cli.commands.context", "Make, list and choose docker contexts", ENGINE),
    "info": Entry("pyd_tui.cli.commands.system.info", "Show how the engine is set up and what it holds", ENGINE),
    "version": Entry("pyd_tui.cli.commands.system.version", "Show the versions of pyd and of the engine", ENGINE),
    "config": Entry(
        "pyd_tui.cli.commands.config.group", "Show, edit and check the settings; files that services read", ENGINE
    ),
    "completion": Entry("pyd_tui.cli.commands.completion", "Print a completion script for bash, zsh or fish", ""),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("pyd", "open the dashboard"),
    ("pyd ps -a", "all containers, the dead with their exit codes"),
    ("pyd logs -f web db", "follow two containers, in time order"),
    ("pyd debug web", "a shell with tools inside web, whatever its image lacks"),
    ("pyd -H ssh://me@server ps", "containers of another machine"),
)
