"""The commands that can be typed after `:`, as data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.config.settings import THEMES
from pyd_tui.dashboard.actions.external_commands import COMPOSE
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.panels.views import CLUSTER_VIEWS, SWARM_VIEWS, UNNUMBERED_VIEWS, VIEWS


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """A command other than a view's name.

    Attributes:
        usage: The syntax.
        help: The description.
        least: The minimum number of arguments.
        most: The maximum number of arguments.
        choices: The values of its first argument, for completion; empty allows any.
        destructive: Whether it stops, removes or leaves something; no list preselects it.
    """

    usage: str
    help: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    destructive: bool = False


ALL_VIEWS = tuple(dict.fromkeys((*VIEWS, *SWARM_VIEWS, *UNNUMBERED_VIEWS, *CLUSTER_VIEWS)))
"""The names of all views of all families of providers."""
SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT")

COMMANDS: Mapping[str, PaletteCommand] = {
    "start": PaletteCommand("start", "start it"),
    "stop": PaletteCommand("stop", "stop it", destructive=True),
    "restart": PaletteCommand("restart", "restart it", destructive=True),
    "pause": PaletteCommand("pause", "pause it", destructive=True),
    "resume": PaletteCommand("resume", "resume it"),
    "remove": PaletteCommand("remove", "remove it, after asking", destructive=True),
    "kill": PaletteCommand("kill [SIGNAL]", "send a signal, KILL by default", 0, 1, SIGNALS, destructive=True),
    "rename": PaletteCommand("rename NAME", "give it a new name", 1, 1),
    "update": PaletteCommand(
        "update memory=512m cpus=1.5 pids=100 restart=always",
        "change limits while it runs",
        1,
        8,
        ("memory=", "cpus=", "pids=", "restart="),
    ),
    "recreate": PaletteCommand("recreate", "recreate with changes (undoable)"),
    "undo": PaletteCommand("undo", "undo the last stop, kill or pause; restore the recreated container"),
    "accept": PaletteCommand("accept", "keep the new container, delete the old one", destructive=True),
    "commit": PaletteCommand("commit", "commit its files to an image"),
    "pull": PaletteCommand("pull [IMAGE]", "pull an image, or the container's", 0, 1),
    "export": PaletteCommand("export", "export its files as a tar"),
    "compose": PaletteCommand(f"compose {'|'.join(COMPOSE[:5])}…", "its Compose project", 1, 1, COMPOSE),
    "connect": PaletteCommand("connect", "connect it to a network"),
    "disconnect": PaletteCommand("disconnect", "disconnect it from a network", destructive=True),
    "tag": PaletteCommand("tag NAME", "add a name to the image", 1, 1),
    "push": PaletteCommand("push", "push the image to its registry, after asking"),
    "run": PaletteCommand("run", "run a container of the image"),
    "registry": PaletteCommand("registry [TERM]", "search the public registry for images", 0, 5),
    "prune": PaletteCommand("prune", "remove unused objects, after asking", 0, 0, destructive=True),
    "theme": PaletteCommand("theme NAME", "change colours", 1, 1, THEMES[1:]),
    "scale": PaletteCommand("scale N", "set the number of a service's tasks, or a workload's pods", 1, 1),
    "rollback": PaletteCommand("rollback", "of a cluster: return a deployment to its previous revision"),
    "suspend": PaletteCommand("suspend", "of a cluster: suspend a job, or pause a deployment's rollout"),
    "cordon": PaletteCommand("cordon", "of a cluster: keep new pods away from a node"),
    "uncordon": PaletteCommand("uncordon", "of a cluster: let a node take new pods again"),
    "orphan": PaletteCommand("orphan", "of a cluster: delete an object, and leave what it owns (asks)"),
    "foreground": PaletteCommand("foreground", "of a cluster: delete an object after what it owns (asks)"),
    "drain": PaletteCommand("drain", "of a cluster: evict a node's pods (lists them and asks)"),
    "resource": PaletteCommand("resource NAME", "of a cluster: list any resource by its name in the API", 1, 1),
    "search": PaletteCommand("search [TEXT]", "search all logs, including those of stopped containers", 0, 20),
    "engines": PaletteCommand("engines", "list the engines, switch to another"),
    "merge": PaletteCommand("merge", "list the containers of all engines, or of one"),
    "help": PaletteCommand("help", "all keys and commands"),
    "quit": PaletteCommand("quit", "leave pyd", destructive=True),
}

FORMER_NAMES = {"again": "recreate", "keep": "accept"}
"""Former names of commands, which still work."""


def parse(text: str, own: Sequence[str] = ()) -> CommandCall:
    """Parse what was typed; an unambiguous prefix of a name is enough.

    Args:
        text: The line.
        own: The names of the user's own commands; in full they take precedence.

    Raises:
        InvalidInput: The command is unknown or ambiguous, or its arguments don't fit.
    """
    if text.strip() in own:
        return CommandCall("own", (text.strip(),))
    try:
        verb, *words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{safe(text)}: {error}".lower(), hint="close the quotes") from error
    views = ALL_VIEWS
    names = [*views, *COMMANDS]
    verb = FORMER_NAMES.get(verb, verb)
    starting = [name for name in (*names, *FORMER_NAMES, *own) if name.startswith(verb)]
    matching = [verb] if verb in names else [FORMER_NAMES.get(name, name) for name in starting]
    if len(matching) != 1:
        message = f"{safe(verb)} is ambiguous: {', '.join(matching)}" if matching else f"no such command: {safe(verb)}"
        raise InvalidInput(message, hint=f"commands: {', '.join(names)}")
    name = matching[0]
    if name in views:
        return CommandCall("view", (name,))
    if name in own:
        return CommandCall("own", (name,))
    command = COMMANDS[name]
    if not command.least <= len(words) <= command.most:
        raise InvalidInput(f"write :{command.usage}", hint=command.help)
    return CommandCall(name, tuple(words))


def hint(text: str, own: Sequence[str] = ()) -> str:
    """Return the arguments and the effect of a command, or the names that start with what is typed."""
    verb, blank, _ = text.partition(" ")
    if (known := COMMANDS.get(verb)) is not None:
        arguments = known.usage.removeprefix(verb).strip()
        listed = any(choice in arguments for choice in known.choices)
        values = "" if listed else " ".join(known.choices)
        return "  ".join(part for part in (arguments, known.help, values) if part)
    return "  ".join(_beginning(verb, own)) if verb and not blank else ""


def _beginning(verb: str, own: Sequence[str]) -> list[str]:
    return [name for name in (*ALL_VIEWS, *COMMANDS, *own) if name.startswith(verb)]


def complete(text: str, own: Sequence[str] = ()) -> str:
    """Complete what is typed, as far as it is unambiguous."""
    verb, blank, rest = text.partition(" ")
    if not blank:
        names = _beginning(verb, own)
        if len(names) == 1:
            command = COMMANDS.get(names[0])
            return names[0] + (" " if command is not None and command.most else "")
        return _common(names) or text
    command = COMMANDS.get(verb)
    if command is None:
        return text
    head, _, last = rest.rpartition(" ")
    fitting = [choice for choice in command.choices if choice.casefold().startswith(last.casefold())]
    return " ".join(part for part in (verb, head, _common(fitting) or last) if part or part is last)


def _common(names: Sequence[str]) -> str:
    """Return the common prefix of all names."""
    if not names:
        return ""
    low, high = min(names), max(names)
    length = next((index for index, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]), len(low))
    return low[:length]
