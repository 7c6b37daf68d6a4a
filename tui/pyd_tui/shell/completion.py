"""Completion: files, commands of the toolbox and the target, builtins and their arguments, users, processes, names.

All of it is read from the target through `Access`, in a thread of its own, and is untrusted: it is bounded, made safe
to show, and quoted as one word.
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
from pyd_core.passwd import PASSWD_FIELDS, split_rows
from pyd_core.sanitise import safe
from pyd_tui.shell.builtin_table import BUILTINS, load
from pyd_tui.shell.builtins.named import ProgramName
from pyd_tui.shell.interactive_shell import ShellContext
from pyd_tui.shell.line_parser import WordPosition, position_at_end, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_toolkit.document import Document

MAX_COMPLETIONS = 1000
"""Completions that are offered at most."""
COMMANDS_TTL_S = 5.0
"""Seconds for which the commands on PATH are cached."""
_COMMAND_PREFIXES = frozenset(
    {"sudo", "exec", "command", "builtin", "time", "nohup", "env", "xargs", "strace", "watch"}
)
_TAKES_PIDS = frozenset(
    {"kill", "gdb", "strace", "ltrace", "lsof", "pmap", "pwdx", "prlimit", "renice", "taskset", "top"}
)


class ShellCompleter(Completer):
    """Completes lines of the debug shell.

    Args:
        shell: Returns the context that a builtin would get now.
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
        """Yield completions of the word at the cursor."""
        position = position_at_end(document.text_before_cursor)
        try:
            completions = sorted(self._find(position), key=lambda completion: completion.text)[:MAX_COMPLETIONS]
        except (PydError, OSError, ValueError):
            return  # the target is gone, refuses, or is hostile: offer nothing
        if len(completions) == 1 and not completions[0].text.endswith(("/", "=", "'", '"')):
            (only,) = completions
            completions = [Completion(f"{only.text} ", only.start_position, only.display, only.display_meta)]
        yield from completions

    def _find(self, position: WordPosition) -> Iterable[Completion]:
        command = position.before[0] if position.before else ""
        dollar = position.word.rfind("$")
        is_command = not position.before or (command in _COMMAND_PREFIXES and len(position.before) == 1)
        completions: Iterable[Completion]
        if position.opening != "'" and dollar >= 0 and "/" not in position.word[dollar:]:
            completions = self._variables(position, dollar)
        elif position.word.startswith("~") and "/" not in position.word:
            completions = self._users(position)
        elif position.redirected:
            completions = self._files(position)
        elif is_command and not position.word.startswith("-"):
            completions = self._files(position, programs=True) if "/" in position.text else self._programs(position)
        elif command in BUILTINS:
            completions = self._arguments(position)
        elif command in _TAKES_PIDS and (not position.text or position.text.isdigit()):
            completions = [
                *self._processes(position),
                *([] if command in ("kill", "renice") else self._files(position)),
            ]
        else:
            completions = self._files(position)
        return completions

    def _programs(self, position: WordPosition) -> Iterable[Completion]:
        start = position.text
        if not position.before:
            for name, builtin in BUILTINS.items():
                if name.startswith(start):
                    yield _word(position, name, f"builtin: {builtin.summary}")
        for name in self._report().functions:
            if name.startswith(start):
                yield _word(position, name, "function or alias")
        if start.startswith("@"):
            for name in sorted(self._tools()):
                if name.startswith(start[1:]):
                    yield _word(position, f"@{name}", "toolbox")
            return
        for name, origin in self._commands_on(self._report().path).items():
            if name.startswith(start) and (position.before or name not in BUILTINS):
                yield _word(position, name, origin)

    def _commands_on(self, path: str) -> Mapping[str, str]:
        """Return the programs on PATH and the origin of each; the first one of a name is the one that runs."""
        cached_at, cached_path, commands = self._commands
        if cached_path == path and time.monotonic() - cached_at < COMMANDS_TTL_S:
            return commands
        origins: dict[str, str] = {}
        for directory in path.split(":"):
            if directory.startswith(f"{PREFIX}/") or not directory.startswith("/"):
                continue
            try:
                entries = self._access().list(directory)
            except PydError:
                continue
            for entry in entries:
                if stat.S_ISLNK(entry.mode) or (stat.S_ISREG(entry.mode) and entry.mode & 0o111):
                    origins.setdefault(entry.name, "container")
        for name in self._tools():
            origins.setdefault(name, "toolbox")
        self._commands = (time.monotonic(), path, origins)
        return origins

    def _access(self) -> Access:
        return self._shell().access

    def _variables(self, position: WordPosition, dollar: int) -> Iterable[Completion]:
        typed = position.word[dollar + 1 :]
        brace = typed.startswith("{")
        for name in self._report().variables:
            if name.startswith(typed.lstrip("{")):
                yield Completion(f"${{{name}}}" if brace else f"${name}", -len(typed) - 1, display=safe(name))

    def _users(self, position: WordPosition) -> Iterable[Completion]:
        text = self._access().read_file("/etc/passwd", limit=1 << 20).decode(errors="replace")
        for name, *fields in itertools.islice(split_rows(text, PASSWD_FIELDS), 10_000):
            if name and name.startswith(position.text[1:]) and name.isprintable():
                yield Completion(
                    f"~{quote(name)}/", -len(position.word), display=safe(name), display_meta=safe(fields[4])
                )

    def _processes(self, position: WordPosition) -> Iterable[Completion]:
        access = self._access()
        for pid, name in names_of(access, list(access.pids())[:MAX_COMPLETIONS]).values():
            if str(pid).startswith(position.text):
                yield _word(position, str(pid), name)

    def _files(self, position: WordPosition, *, programs: bool = False) -> Iterable[Completion]:
        head, slash, start = position.text.rpartition("/")
        report = self._report()
        shown = head + slash
        directory = shown or "."
        if position.word.startswith("~/") or position.word == "~":
            directory = report.home + directory[1:]
        if not directory.startswith("/"):
            directory = f"{report.cwd}/{directory}"
        for entry in self._access().list(directory):
            if not entry.name.startswith(start) or (entry.name.startswith(".") and not start.startswith(".")):
                continue
            is_directory = self._is_directory(entry, directory)
            if programs and not is_directory and not entry.mode & 0o111:
                continue
            yield _file(position, shown, entry.name, is_directory=is_directory)

    def _is_directory(self, entry: DirectoryEntry, directory: str) -> bool:
        if not stat.S_ISLNK(entry.mode):
            return stat.S_ISDIR(entry.mode)
        try:
            return stat.S_ISDIR(self._access().stat(f"{directory}/{entry.name}").mode)
        except PydError:
            return False

    def _arguments(self, position: WordPosition) -> Iterable[Completion]:
        """Yield completions of a builtin's arguments, as its click command declares them."""
        command = load(position.before[0])
        context = click.Context(command, info_name=position.before[0], obj=self._shell(), resilient_parsing=True)
        for word in position.before[1:]:
            if isinstance(command, click.Group) and (below := command.get_command(context, word)) is not None:
                command, context = below, click.Context(below, info_name=word, parent=context, resilient_parsing=True)
        if position.text.startswith("-") or isinstance(command, click.Group):
            for item in command.shell_complete(context, position.text):
                yield _word(position, str(item.value), item.help or "")
            return
        for parameter in _expected_parameters(command, context, position.before):
            if isinstance(parameter.type, click.Path):
                yield from _local_files(position)
            elif isinstance(parameter.type, ProgramName):
                yield from self._programs(replace(position, before=()))
            else:
                for item in parameter.shell_complete(context, position.text):
                    yield _word(position, str(item.value), item.help or "", directory=str(item.value).endswith("/"))


def _expected_parameters(
    command: click.Command, context: click.Context, before: tuple[str, ...]
) -> Iterable[click.Parameter]:
    """Return the parameter whose value comes next: that of the option just before, else the next argument."""
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    for option in options:
        if before[-1] in option.opts and not option.is_flag:
            return [option]
    given = [word for word in before[1:] if not word.startswith("-")]
    arguments = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Argument)]
    if not arguments:
        return []
    many = arguments[-1].nargs == -1
    return [arguments[min(len(given), len(arguments) - 1)]] if many or len(given) < len(arguments) else []


def _local_files(position: WordPosition) -> Iterable[Completion]:
    """Yield files of this machine, for builtins that read or write them."""
    head, slash, start = position.text.rpartition("/")
    with os.scandir(head + slash or ".") as scan:
        entries = itertools.islice(scan, MAX_COMPLETIONS)
        for entry in entries:
            if entry.name.startswith(start) and (start.startswith(".") or not entry.name.startswith(".")):
                is_directory = entry.is_dir()
                yield _word(position, f"{head}{slash}{entry.name}{'/' * is_directory}", "", directory=is_directory)


def _word(position: WordPosition, text: str, about: str, *, directory: bool = False) -> Completion:
    typed = quote(text, position.opening)
    if directory and position.opening:
        typed = typed[:-1]  # the quote stays open for the rest of the path
    return Completion(typed, -len(position.word), display=safe(text), display_meta=safe(about)[:60])


def _file(position: WordPosition, directory: str, name: str, *, is_directory: bool) -> Completion:
    """Return a path's completion; a directory's ends in a slash and leaves a quote open for the rest of the path."""
    text = quote(directory + name, position.opening)
    if position.word.startswith("~/") and not position.opening:
        text = "~/" + quote((directory + name)[2:])
    if is_directory:
        text = f"{text[:-1]}/" if position.opening else f"{text}/"
    elif text.startswith("-"):
        text = f"./{text}"
    return Completion(text, -len(position.word), display=safe(name) + ("/" if is_directory else ""))
