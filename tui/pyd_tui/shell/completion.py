"""What can come next on a line: files, commands of both worlds, builtins and their arguments, users, processes, names.

All of it is read from the target through `Access`, in a thread beside the editor, and is hostile: bounded, made safe to
show, and quoted to be one word.
"""

from __future__ import annotations

import itertools
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace
from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from pyd_core.debug.access import Access, DirectoryEntry
from pyd_core.debug.channel import JoinReport
from pyd_core.debug.inspectors.processes import names_of
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import PydError
from pyd_core.sanitise import safe
from pyd_tui.shell.builtin_table import BUILTINS, load
from pyd_tui.shell.builtins.named import ProgramName
from pyd_tui.shell.interactive_shell import ShellContext
from pyd_tui.shell.line_parser import WordPosition, place_of, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_toolkit.document import Document

MOST = 1000
"""Completions that are offered."""
FRESH = 5.0
"""Seconds for which the commands on PATH are remembered."""
_BEFORE_COMMAND = frozenset({"sudo", "exec", "command", "builtin", "time", "nohup", "env", "xargs", "strace", "watch"})
_TAKES_PIDS = frozenset(
    {"kill", "gdb", "strace", "ltrace", "lsof", "pmap", "pwdx", "prlimit", "renice", "taskset", "top"}
)


class ShellCompleter(Completer):
    """Completes lines of the debug shell.

    Args:
        shell: Returns what a builtin would be given now.
        report: Returns bash's last report.
        tools: Names of the toolbox's programs.
    """

    def __init__(
        self, shell: Callable[[], ShellContext], report: Callable[[], JoinReport], tools: Callable[[], Iterable[str]]
    ) -> None:
        self._shell = shell
        self._report = report
        self._tools = tools
        self._commands: tuple[float, str, Mapping[str, str]] = (0.0, "", {})

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - prompt_toolkit's
        """Yield what the word at the cursor can become."""
        place = place_of(document.text_before_cursor)
        try:
            found = sorted(self._find(place), key=lambda each: each.text)[:MOST]
        except (PydError, OSError, ValueError):
            return  # gone, refused, or hostile; there is nothing to offer then
        if len(found) == 1 and not found[0].text.endswith(("/", "=", "'", '"')):
            (only,) = found
            found = [Completion(f"{only.text} ", only.start_position, only.display, only.display_meta)]
        yield from found

    def _find(self, place: WordPosition) -> Iterable[Completion]:
        command = place.before[0] if place.before else ""
        dollar = place.word.rfind("$")
        names_command = not place.before or (command in _BEFORE_COMMAND and len(place.before) == 1)
        found: Iterable[Completion]
        if place.opening != "'" and dollar >= 0 and "/" not in place.word[dollar:]:
            found = self._variables(place, dollar)
        elif place.word.startswith("~") and "/" not in place.word:
            found = self._users(place)
        elif place.redirected:
            found = self._files(place)
        elif names_command and not place.word.startswith("-"):
            found = self._files(place, programs=True) if "/" in place.text else self._programs(place)
        elif command in BUILTINS:
            found = self._arguments(place)
        elif command in _TAKES_PIDS and (not place.text or place.text.isdigit()):
            found = [*self._processes(place), *([] if command in ("kill", "renice") else self._files(place))]
        else:
            found = self._files(place)
        return found

    def _programs(self, place: WordPosition) -> Iterable[Completion]:
        start = place.text
        if not place.before:
            for name, builtin in BUILTINS.items():
                if name.startswith(start):
                    yield _word(place, name, f"builtin: {builtin.summary}")
        for name in self._report().functions:
            if name.startswith(start):
                yield _word(place, name, "function or alias")
        if start.startswith("@"):
            for name in sorted(self._tools()):
                if name.startswith(start[1:]):
                    yield _word(place, f"@{name}", "toolbox")
            return
        for name, where in self._commands_on(self._report().path).items():
            if name.startswith(start) and (place.before or name not in BUILTINS):
                yield _word(place, name, where)

    def _commands_on(self, path: str) -> Mapping[str, str]:
        """Return the programs on PATH and which world each comes from; the first of a name is the one that runs."""
        made, known, commands = self._commands
        if known == path and time.monotonic() - made < FRESH:
            return commands
        found: dict[str, str] = {}
        for folder in path.split(":"):
            if folder.startswith(f"{PREFIX}/") or not folder.startswith("/"):
                continue
            try:
                entries = self._access().list(folder)
            except PydError:
                continue
            for entry in entries:
                if stat.S_ISLNK(entry.mode) or (stat.S_ISREG(entry.mode) and entry.mode & 0o111):
                    found.setdefault(entry.name, "container")
        for name in self._tools():
            found.setdefault(name, "toolbox")
        self._commands = (time.monotonic(), path, found)
        return found

    def _access(self) -> Access:
        return self._shell().access

    def _variables(self, place: WordPosition, dollar: int) -> Iterable[Completion]:
        typed = place.word[dollar + 1 :]
        brace = typed.startswith("{")
        for name in self._report().variables:
            if name.startswith(typed.lstrip("{")):
                yield Completion(f"${{{name}}}" if brace else f"${name}", -len(typed) - 1, display=safe(name))

    def _users(self, place: WordPosition) -> Iterable[Completion]:
        text = self._access().read_file("/etc/passwd", limit=1 << 20).decode(errors="replace")
        for line in text.splitlines()[:10_000]:
            name, *fields = line.split(":")
            if name and name.startswith(place.text[1:]) and name.isprintable() and len(fields) >= 6:
                yield Completion(f"~{quote(name)}/", -len(place.word), display=safe(name), display_meta=safe(fields[4]))

    def _processes(self, place: WordPosition) -> Iterable[Completion]:
        access = self._access()
        for pid, name in names_of(access, list(access.pids())[:MOST]).values():
            if str(pid).startswith(place.text):
                yield _word(place, str(pid), name)

    def _files(self, place: WordPosition, *, programs: bool = False) -> Iterable[Completion]:
        folder, slash, start = place.text.rpartition("/")
        report = self._report()
        shown = folder + slash
        where = shown or "."
        if place.word.startswith("~/") or place.word == "~":
            where = report.home + where[1:]
        if not where.startswith("/"):
            where = f"{report.cwd}/{where}"
        for entry in self._access().list(where):
            if not entry.name.startswith(start) or (entry.name.startswith(".") and not start.startswith(".")):
                continue
            is_folder = self._is_folder(entry, where)
            if programs and not is_folder and not entry.mode & 0o111:
                continue
            yield _file(place, shown, entry.name, is_folder=is_folder)

    def _is_folder(self, entry: DirectoryEntry, where: str) -> bool:
        if not stat.S_ISLNK(entry.mode):
            return stat.S_ISDIR(entry.mode)
        try:
            return stat.S_ISDIR(self._access().stat(f"{where}/{entry.name}").mode)
        except PydError:
            return False

    def _arguments(self, place: WordPosition) -> Iterable[Completion]:
        """What a builtin takes, as its click command declares it."""
        command = load(place.before[0])
        context = click.Context(command, info_name=place.before[0], obj=self._shell(), resilient_parsing=True)
        for word in place.before[1:]:
            if isinstance(command, click.Group) and (below := command.get_command(context, word)) is not None:
                command, context = below, click.Context(below, info_name=word, parent=context, resilient_parsing=True)
        if place.text.startswith("-") or isinstance(command, click.Group):
            for item in command.shell_complete(context, place.text):
                yield _word(place, str(item.value), item.help or "")
            return
        for parameter in _awaited(command, context, place.before):
            if isinstance(parameter.type, click.Path):
                yield from _own_files(place)
            elif isinstance(parameter.type, ProgramName):
                yield from self._programs(replace(place, before=()))
            else:
                for item in parameter.shell_complete(context, place.text):
                    yield _word(place, str(item.value), item.help or "", folder=str(item.value).endswith("/"))


def _awaited(command: click.Command, context: click.Context, before: tuple[str, ...]) -> Iterable[click.Parameter]:
    """Return the parameter whose value comes next: of the option just before, else the argument in that place."""
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    for option in options:
        if before[-1] in option.opts and not option.is_flag:
            return [option]
    given = [word for word in before[1:] if not word.startswith("-")]
    arguments = [each for each in command.get_params(context) if isinstance(each, click.Argument)]
    if not arguments:
        return []
    many = arguments[-1].nargs == -1
    return [arguments[min(len(given), len(arguments) - 1)]] if many or len(given) < len(arguments) else []


def _own_files(place: WordPosition) -> Iterable[Completion]:
    """Files of this machine, where builtins write to or read from it."""
    folder, slash, start = place.text.rpartition("/")
    with os.scandir(folder + slash or ".") as found:
        entries = itertools.islice(found, MOST)
        for entry in entries:
            if entry.name.startswith(start) and (start.startswith(".") or not entry.name.startswith(".")):
                is_folder = entry.is_dir()
                yield _word(place, f"{folder}{slash}{entry.name}{'/' * is_folder}", "", folder=is_folder)


def _word(place: WordPosition, text: str, about: str, *, folder: bool = False) -> Completion:
    typed = quote(text, place.opening)
    if folder and place.opening:
        typed = typed[:-1]  # the quote stays open, to go on from there
    return Completion(typed, -len(place.word), display=safe(text), display_meta=safe(about)[:60])


def _file(place: WordPosition, folder: str, name: str, *, is_folder: bool) -> Completion:
    """A path to offer: a folder's name ends in a slash and leaves a quote open, to go on from there."""
    text = quote(folder + name, place.opening)
    if place.word.startswith("~/") and not place.opening:
        text = "~/" + quote((folder + name)[2:])
    if is_folder:
        text = f"{text[:-1]}/" if place.opening else f"{text}/"
    elif text.startswith("-"):
        text = f"./{text}"
    return Completion(text, -len(place.word), display=safe(name) + ("/" if is_folder else ""))
