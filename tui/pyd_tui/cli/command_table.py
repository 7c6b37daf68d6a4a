"""All `pyd` commands, a line each, so that help and completion need none of their modules."""

from __future__ import annotations

import msgspec


class CommandEntry(msgspec.Struct, frozen=True):
    """A command.

    Attributes:
        module: The module of its `command`, a `click.Command`.
        summary: One line of help.
        section: Its heading in `pyd --help`; an empty one keeps it out.
    """

    module: str
    summary: str
    section: str


INSPECT = "Inspect"
SHELL = "Shell"
CREATE = "Create"
LIFECYCLE = "Lifecycle"
IMAGES = "Images"
MANAGEMENT = "Management commands"
SWARM = "Swarm"
ENGINE = "Engine"

COMMANDS: dict[str, CommandEntry] = {
    "ps": CommandEntry("pyd_tui.cli.commands.container.ps", "List containers", INSPECT),
    "images": CommandEntry("pyd_tui.cli.commands.image.ls", "List images", INSPECT),
    "logs": CommandEntry(
        "pyd_tui.cli.commands.container.logs", "Show the logs of one or more containers, merged in time order", INSPECT
    ),
    "stats": CommandEntry(
        "pyd_tui.cli.commands.container.stats", "Show a live stream of the resource usage of containers", INSPECT
    ),
    "top": CommandEntry("pyd_tui.cli.commands.container.top", "List the processes of a container", INSPECT),
    "events": CommandEntry("pyd_tui.cli.commands.system.events", "Show events of the engine as they happen", INSPECT),
    "port": CommandEntry("pyd_tui.cli.commands.container.port", "List the published ports of a container", INSPECT),
    "diff": CommandEntry("pyd_tui.cli.commands.container.diff", "Show files changed since the image", INSPECT),
    "inspect": CommandEntry(
        "pyd_tui.cli.commands.inspect", "Show detailed information on one or more objects", INSPECT
    ),
    "triage": CommandEntry(
        "pyd_tui.cli.commands.triage.triage", "Explain why containers died, or what is wrong with them", INSPECT
    ),
    "history": CommandEntry(
        "pyd_tui.cli.commands.triage.history", "Show recorded deaths, of removed containers too", INSPECT
    ),
    "debug": CommandEntry("pyd_tui.cli.commands.debug.debug", "Open a shell with tools in any container", SHELL),
    "toolbox": CommandEntry("pyd_tui.cli.commands.toolbox.group", "Manage the tools of the debug shell", SHELL),
    "exec": CommandEntry("pyd_tui.cli.commands.container.exec", "Run a command in a running container", SHELL),
    "attach": CommandEntry("pyd_tui.cli.commands.container.attach", "Attach to a running container", SHELL),
    "cp": CommandEntry(
        "pyd_tui.cli.commands.container.cp", "Copy files between a container and the local file system", SHELL
    ),
    "port-forward": CommandEntry(
        "pyd_tui.cli.commands.cluster.port_forward", "Forward local ports to a pod of a cluster", SHELL
    ),
    "edit": CommandEntry("pyd_tui.cli.commands.cluster.edit", "Edit an object of a cluster as YAML", SHELL),
    "run": CommandEntry("pyd_tui.cli.commands.container.run", "Create, start and attach to a container", CREATE),
    "create": CommandEntry("pyd_tui.cli.commands.container.create", "Create a container without starting it", CREATE),
    "demo": CommandEntry("pyd_tui.cli.commands.demo", "Create or remove demo containers", CREATE),
    "compose": CommandEntry("pyd_tui.cli.commands.compose", "Run the compose tool against the chosen engine", CREATE),
    "start": CommandEntry("pyd_tui.cli.commands.container.start", "Start one or more containers", LIFECYCLE),
    "stop": CommandEntry("pyd_tui.cli.commands.container.stop", "Stop one or more containers", LIFECYCLE),
    "restart": CommandEntry("pyd_tui.cli.commands.container.restart", "Restart one or more containers", LIFECYCLE),
    "kill": CommandEntry("pyd_tui.cli.commands.container.kill", "Send a signal to one or more containers", LIFECYCLE),
    "pause": CommandEntry(
        "pyd_tui.cli.commands.container.pause", "Pause all processes of one or more containers", LIFECYCLE
    ),
    "unpause": CommandEntry("pyd_tui.cli.commands.container.unpause", "Unpause one or more containers", LIFECYCLE),
    "wait": CommandEntry(
        "pyd_tui.cli.commands.container.wait", "Wait until containers stop, then print their exit codes", LIFECYCLE
    ),
    "rm": CommandEntry("pyd_tui.cli.commands.container.rm", "Remove one or more containers", LIFECYCLE),
    "rename": CommandEntry("pyd_tui.cli.commands.container.rename", "Rename a container", LIFECYCLE),
    "update": CommandEntry(
        "pyd_tui.cli.commands.container.update", "Update the limits and restart policy of containers", LIFECYCLE
    ),
    "build": CommandEntry("pyd_tui.cli.commands.image.build", "Build an image from a Dockerfile", IMAGES),
    "bake": CommandEntry("pyd_tui.cli.commands.image.bake", "Build the targets of a bake or Compose file", IMAGES),
    "lint": CommandEntry("pyd_tui.cli.commands.image.lint", "Check Dockerfiles", IMAGES),
    "pull": CommandEntry("pyd_tui.cli.commands.image.pull", "Pull an image from a registry", IMAGES),
    "push": CommandEntry("pyd_tui.cli.commands.image.push", "Push an image to a registry", IMAGES),
    "tag": CommandEntry("pyd_tui.cli.commands.image.tag", "Tag an image with another name", IMAGES),
    "rmi": CommandEntry("pyd_tui.cli.commands.image.rm", "Remove one or more images", IMAGES),
    "save": CommandEntry("pyd_tui.cli.commands.image.save", "Save one or more images to a tar archive", IMAGES),
    "load": CommandEntry("pyd_tui.cli.commands.image.load", "Load images from a tar archive", IMAGES),
    "import": CommandEntry("pyd_tui.cli.commands.image.import_", "Import a tar archive of files as an image", IMAGES),
    "export": CommandEntry(
        "pyd_tui.cli.commands.container.export", "Export a container's file system as a tar archive", IMAGES
    ),
    "commit": CommandEntry(
        "pyd_tui.cli.commands.container.commit", "Create an image from a container's changes", IMAGES
    ),
    "search": CommandEntry("pyd_tui.cli.commands.registry.search", "Search Docker Hub for images", IMAGES),
    "login": CommandEntry("pyd_tui.cli.commands.registry.login", "Log in to a registry", IMAGES),
    "logout": CommandEntry("pyd_tui.cli.commands.registry.logout", "Log out from a registry", IMAGES),
    "container": CommandEntry("pyd_tui.cli.commands.container.group", "Manage containers", MANAGEMENT),
    "image": CommandEntry("pyd_tui.cli.commands.image.group", "Manage images", MANAGEMENT),
    "network": CommandEntry("pyd_tui.cli.commands.network.group", "Manage networks", MANAGEMENT),
    "volume": CommandEntry("pyd_tui.cli.commands.volume.group", "Manage volumes", MANAGEMENT),
    "builder": CommandEntry("pyd_tui.cli.commands.builder.group", "Manage builds", MANAGEMENT),
    "system": CommandEntry("pyd_tui.cli.commands.system.group", "Manage the engine", MANAGEMENT),
    "swarm": CommandEntry("pyd_tui.cli.commands.swarm.group", "Manage a swarm", SWARM),
    "node": CommandEntry("pyd_tui.cli.commands.node.group", "Manage the nodes of a swarm", SWARM),
    "service": CommandEntry("pyd_tui.cli.commands.service.group", "Manage the services of a swarm", SWARM),
    "stack": CommandEntry("pyd_tui.cli.commands.stack.group", "Manage stacks", SWARM),
    "secret": CommandEntry("pyd_tui.cli.commands.secret.group", "Manage the secrets of a swarm", SWARM),
    "daemon": CommandEntry("pyd_tui.cli.commands.system.daemon", "Run the embedded engine", ENGINE),
    "record": CommandEntry(
        "pyd_tui.cli.commands.triage.record", "Record how containers die, until interrupted", ENGINE
    ),
    "context": CommandEntry("pyd_tui.cli.commands.context.group", "Manage docker contexts", ENGINE),
    "info": CommandEntry("pyd_tui.cli.commands.system.info", "Show information about the engine", ENGINE),
    "version": CommandEntry("pyd_tui.cli.commands.system.version", "Show the versions of pyd and the engine", ENGINE),
    "config": CommandEntry("pyd_tui.cli.commands.config.group", "Manage pyd's settings and swarm configs", ENGINE),
    "completion": CommandEntry(
        "pyd_tui.cli.commands.completion", "Print a completion script for bash, zsh or fish", ""
    ),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("pyd", "open the dashboard"),
    ("pyd ps -a", "list all containers, exited ones with their exit codes"),
    ("pyd logs -f web db", "follow the logs of two containers, in time order"),
    ("pyd debug web", "open a shell with tools in web, whatever its image lacks"),
    ("pyd -H ssh://me@server ps", "list the containers of another machine"),
)
