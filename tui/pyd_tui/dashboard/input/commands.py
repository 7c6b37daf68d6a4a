"""What can be typed behind `:`, as data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.config.settings import THEMES
from pyd_tui.dashboard.actions.external_commands import COMPOSE
from pyd_tui.dashboard.panels.views import SWARM_VIEWS, UNNUMBERED_VIEWS, VIEWS


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A command with its arguments."""

    verb: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """A command that is no view.

    Attributes:
        usage: How it is written.
        help: What it does.
        least: Arguments it takes at least.
        most: And at most.
        choices: What its first argument can be, for completion; empty is anything.
    """

    usage: str
    help: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()


SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT")

COMMANDS: Mapping[str, PaletteCommand] = {
    "start": PaletteCommand("start", "start what doesn't run"),
    "stop": PaletteCommand("stop", "stop it"),
    "restart": PaletteCommand("restart", "restart it"),
    "remove": PaletteCommand("remove", "remove it, after asking"),
    "kill": PaletteCommand("kill [SIGNAL]", "send a signal, KILL by default", 0, 1, SIGNALS),
    "rename": PaletteCommand("rename NAME", "give the container another name", 1, 1),
    "update": PaletteCommand(
        "update memory=512m cpus=1.5 pids=100 restart=always",
        "change limits while it runs",
        1,
        8,
        ("memory=", "cpus=", "pids=", "restart="),
    ),
    "again": PaletteCommand("again", "run it again with changes, the old one kept"),
    "undo": PaletteCommand("undo", "bring the old container back"),
    "keep": PaletteCommand("keep", "remove the old container"),
    "commit": PaletteCommand("commit", "make an image of its files"),
    "pull": PaletteCommand("pull [IMAGE]", "pull an image anew, or the container's", 0, 1),
    "export": PaletteCommand("export", "write all its files to a tar"),
    "compose": PaletteCommand(f"compose {'|'.join(COMPOSE[:5])}…", "its Compose project", 1, 1, COMPOSE),
    "prune": PaletteCommand("prune", "remove what nothing uses, after asking", 0, 0),
    "theme": PaletteCommand("theme NAME", "other colours", 1, 1, THEMES[1:]),
    "scale": PaletteCommand("scale N", "set how many tasks a service has", 1, 1),
    "search": PaletteCommand("search [TEXT]", "search the logs of all containers, the stopped ones too", 0, 20),
    "engines": PaletteCommand("engines", "the engines, to look at another one"),
    "merge": PaletteCommand("merge", "the containers of all engines in one list, or of one"),
    "help": PaletteCommand("help", "all keys and commands"),
    "quit": PaletteCommand("quit", "out"),
}


def parse(text: str, own: Sequence[str] = ()) -> CommandCall:
    """Reads what was typed; any beginning that fits a single name will do.

    Args:
        text: The line.
        own: Names of the user's own commands; those win where they are written whole.

    Raises:
        InvalidInput: No such command, several that begin so, or arguments that don't fit.
    """
    if text.strip() in own:
        return CommandCall("own", (text.strip(),))
    try:
        verb, *words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{safe(text)}: {error}".lower(), hint="close the quotes") from error
    views = (*VIEWS, *SWARM_VIEWS, *UNNUMBERED_VIEWS)
    names = [*views, *COMMANDS]
    found = [verb] if verb in names else [name for name in (*names, *own) if name.startswith(verb)]
    if len(found) != 1:
        said = f"no such command: {safe(verb)}" if not found else f"{safe(verb)} begins several: {', '.join(found)}"
        raise InvalidInput(said, hint=f"there are {', '.join(names)}")
    name = found[0]
    if name in views:
        return CommandCall("view", (name,))
    if name in own:
        return CommandCall("own", (name,))
    command = COMMANDS[name]
    if not command.least <= len(words) <= command.most:
        raise InvalidInput(f"write :{command.usage}", hint=command.help)
    return CommandCall(name, tuple(words))


def hint(text: str, own: Sequence[str] = ()) -> str:
    """Says how a command is written, or which begin with what is typed."""
    verb, blank, _ = text.partition(" ")
    if (known := COMMANDS.get(verb)) is not None:
        return f"{known.usage}  {known.help}"
    return "  ".join(_beginning(verb, own)) if verb and not blank else ""


def _beginning(verb: str, own: Sequence[str]) -> list[str]:
    return [name for name in (*VIEWS, *SWARM_VIEWS, *UNNUMBERED_VIEWS, *COMMANDS, *own) if name.startswith(verb)]


def complete(text: str, own: Sequence[str] = ()) -> str:
    """Goes on with what is typed, as far as there is only one way on."""
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
    """The beginning that all names share."""
    if not names:
        return ""
    low, high = min(names), max(names)
    at = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return low[:at]
