"""All builtins of the debug shell: one line each, so that help and completion need none of their modules."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    import click


class Builtin(msgspec.Struct, frozen=True):
    """A builtin.

    Attributes:
        module: Where its `command` is, a `click.Command` made with `cls=BuiltinCommand` and `@pass_shell`.
        summary: One line of help.
    """

    module: str
    summary: str


BUILTINS: dict[str, Builtin] = {
    "ps": Builtin("pyd_tui.shell.builtins.ps", "List the processes as a tree, with memory and open files"),
    "sockets": Builtin("pyd_tui.shell.builtins.sockets", "List who listens and who is connected, with the process"),
    "net": Builtin("pyd_tui.shell.builtins.net", "Show interfaces, routes and name servers"),
    "dns": Builtin("pyd_tui.shell.builtins.dns", "Look a name up as the target would, and say who answers what"),
    "reach": Builtin("pyd_tui.shell.builtins.reach", "Try a host and port, and name the layer that fails"),
    "fds": Builtin("pyd_tui.shell.builtins.fds", "List what a process has open"),
    "maps": Builtin("pyd_tui.shell.builtins.maps", "Show what a process has in its memory, by file"),
    "env": Builtin("pyd_tui.shell.builtins.env", "Show a process's environment, secrets left out"),
    "limits": Builtin("pyd_tui.shell.builtins.limits", "Show a process's resource limits and what it uses of them"),
    "caps": Builtin("pyd_tui.shell.builtins.caps", "Show a process's user, capabilities and confinement"),
    "mounts": Builtin("pyd_tui.shell.builtins.mounts", "List what is mounted, with its source on the host"),
    "cgroup": Builtin("pyd_tui.shell.builtins.cgroup", "Show memory, processor and processes against their limits"),
    "files": Builtin("pyd_tui.shell.builtins.files", "List files with owner, size and time"),
    "diff": Builtin("pyd_tui.shell.builtins.diff", "List what changed since the image"),
    "logs": Builtin("pyd_tui.shell.builtins.logs", "Show what the main process has printed"),
    "inspect": Builtin("pyd_tui.shell.builtins.inspect", "Show what the engine tells, or a part of it"),
    "layers": Builtin("pyd_tui.shell.builtins.layers", "List the layers of the image with their sizes"),
    "why": Builtin("pyd_tui.shell.builtins.why", "Say why it died or what is wrong with it"),
    "entrypoint": Builtin("pyd_tui.shell.builtins.entrypoint", "Show, check, run or trace what it starts with"),
    "get": Builtin("pyd_tui.shell.builtins.get", "Copy files out of the container"),
    "put": Builtin("pyd_tui.shell.builtins.put", "Copy files into the container"),
    "edit": Builtin("pyd_tui.shell.builtins.edit", "Edit a file of the container in your own editor"),
    "forward": Builtin("pyd_tui.shell.builtins.forward", "Forward a port of this machine into its network"),
    "pcap": Builtin("pyd_tui.shell.builtins.pcap", "Capture the container's traffic"),
    "trace": Builtin("pyd_tui.shell.builtins.trace", "Show what a process executes, opens or connects to"),
    "stack": Builtin("pyd_tui.shell.builtins.stack", "Show where a process is, by the tool that fits it"),
    "install": Builtin("pyd_tui.shell.builtins.install", "Add tools to this session and the next"),
    "uninstall": Builtin("pyd_tui.shell.builtins.uninstall", "Take tools out of the next sessions"),
    "search": Builtin("pyd_tui.shell.builtins.search", "Find packs and packages of tools"),
    "report": Builtin("pyd_tui.shell.builtins.report", "Write all there is to know into one archive"),
    "whence": Builtin("pyd_tui.shell.builtins.whence", "Say what a command is: a builtin, the container's, a tool"),
    "su": Builtin("pyd_tui.shell.builtins.su", "Go on as root, as the main process's user, or as any other"),
    "record": Builtin("pyd_tui.shell.builtins.record", "Record what the terminal shows, as an asciicast"),
    "detach": Builtin("pyd_tui.shell.builtins.detach", "Leave a session that goes on without you"),
    "builtins": Builtin("pyd_tui.shell.builtins.builtins", "List these commands"),
    "help": Builtin("pyd_tui.shell.builtins.help", "Explain the shell, or one of its commands"),
}


def load(name: str) -> click.Command:
    """Load a builtin."""
    return cast("click.Command", import_module(BUILTINS[name].module).command)
