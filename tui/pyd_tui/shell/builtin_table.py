"""Table of the debug shell's builtins, so that help and completion need none of their modules."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    import click


class Builtin(msgspec.Struct, frozen=True):
    """A builtin.

    Attributes:
        module: The module of its `command`, a `click.Command` made with `cls=BuiltinCommand` and `@pass_shell`.
        summary: One line of help.
    """

    module: str
    summary: str


BUILTINS: dict[str, Builtin] = {
    "ps": Builtin("pyd_tui.shell.builtins.ps", "List the processes as a tree, with memory and open files"),
    "sockets": Builtin("pyd_tui.shell.builtins.sockets", "List listening and connected sockets, with their processes"),
    "net": Builtin("pyd_tui.shell.builtins.net", "Show interfaces, routes and name servers"),
    "dns": Builtin("pyd_tui.shell.builtins.dns", "Look up a name as the target would, and show each server's reply"),
    "reach": Builtin("pyd_tui.shell.builtins.reach", "Try a host and port, and name the layer that fails"),
    "fds": Builtin("pyd_tui.shell.builtins.fds", "List a process's open files"),
    "maps": Builtin("pyd_tui.shell.builtins.maps", "Show a process's memory by file"),
    "env": Builtin("pyd_tui.shell.builtins.env", "Show a process's environment, without secrets"),
    "limits": Builtin("pyd_tui.shell.builtins.limits", "Show a process's resource limits and usage"),
    "caps": Builtin("pyd_tui.shell.builtins.caps", "Show a process's user, capabilities and confinement"),
    "mounts": Builtin("pyd_tui.shell.builtins.mounts", "List mounts, with their sources on the host"),
    "cgroup": Builtin(
        "pyd_tui.shell.builtins.cgroup", "Show use of memory, processor and processes against the limits"
    ),
    "files": Builtin("pyd_tui.shell.builtins.files", "List files with owner, size and time"),
    "diff": Builtin("pyd_tui.shell.builtins.diff", "List changes since the image"),
    "logs": Builtin("pyd_tui.shell.builtins.logs", "Show the main process's output"),
    "inspect": Builtin("pyd_tui.shell.builtins.inspect", "Show the engine's data about the target, or a part of it"),
    "layers": Builtin("pyd_tui.shell.builtins.layers", "List the layers of the image with their sizes"),
    "why": Builtin("pyd_tui.shell.builtins.why", "Explain why it died or what is wrong with it"),
    "entrypoint": Builtin("pyd_tui.shell.builtins.entrypoint", "Show, check, run or trace its start command"),
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
    "report": Builtin("pyd_tui.shell.builtins.report", "Collect a support bundle"),
    "whence": Builtin("pyd_tui.shell.builtins.whence", "Show where a command comes from"),
    "su": Builtin("pyd_tui.shell.builtins.su", "Switch user"),
    "record": Builtin("pyd_tui.shell.builtins.record", "Record what the terminal shows, as an asciicast"),
    "detach": Builtin("pyd_tui.shell.builtins.detach", "Detach from a session, which keeps running"),
    "builtins": Builtin("pyd_tui.shell.builtins.builtins", "List these commands"),
    "help": Builtin("pyd_tui.shell.builtins.help", "Explain the shell, or one of its commands"),
}


NESTED = frozenset(
    {
        *("ps", "sockets", "net", "dns", "reach", "fds", "maps", "env", "limits", "caps", "mounts", "cgroup", "files"),
        *("diff", "logs", "inspect", "layers", "why", "entrypoint", "trace", "stack", "search", "builtins", "help"),
    }
)
"""Builtins that also run anywhere in a line, called by bash: they change nothing on this machine or in this shell."""

PROGRAMS = frozenset({"ps", "env", "diff", "install", "su", "stack", "search", "trace", "logs", "help"})
"""Builtins that share their name with a common program, which runs where the arguments are for it: `env A=1 sh`."""


def load(name: str) -> click.Command:
    """Load a builtin."""
    return cast("click.Command", import_module(BUILTINS[name].module).command)
