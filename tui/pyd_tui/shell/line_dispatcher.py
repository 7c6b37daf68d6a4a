"""Dispatch of lines to builtins and to bash; an error in a builtin never ends the shell."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence

import click

from pyd_core.errors import InvalidInput, PydError
from pyd_tui.console import failures
from pyd_tui.console.usage_errors import from_click
from pyd_tui.shell.builtin_calls import FOR_PROGRAM_EXIT_CODE
from pyd_tui.shell.builtin_table import BUILTINS, NESTED, PROGRAMS, load
from pyd_tui.shell.interactive_shell import ShellContext
from pyd_tui.shell.line_parser import BuiltinCall, parse_call, tokens
from pyd_tui.shell.pack_tools import PACK_OF_TOOL

NOT_FOUND_EXIT_CODE = 127
_WORD = re.compile(r"[A-Za-z]+")
_EXPANDS = re.compile(r"[$`*?~{\[]")
_PIPES = frozenset({"|", "|&", ">", ">>"})
_SEPARATORS = frozenset({"&&", "||", ";", "\n"})
MAX_PIPED_BYTES = 1 << 20
"""Bytes of output passed to bash, which reads them one by one."""


class LineDispatcher:
    """Runs lines: builtins here, everything else in bash.

    Args:
        context: Returns a builtin's context.
        bash: Runs a line in bash and returns its exit code.
        nests: Whether bash can call builtins.
    """

    def __init__(self, context: Callable[[], ShellContext], bash: Callable[[str], int], *, nests: bool = False) -> None:
        self._context = context
        self._bash = bash
        self._nests = nests
        self._typed: set[str] = set()
        """The builtins that the user has named so far."""
        self.busy = False
        """Whether a builtin is running."""

    def run(self, line: str) -> int:
        """Run a line and return its exit code."""
        try:
            call = parse_call(line, BUILTINS.keys())
        except ValueError:
            call = None  # an open quote, which bash reports
        self._typed.update(BUILTINS.keys() & set(_WORD.findall(line)))
        if call is None or (self._nests and call.name in NESTED and self._needs_bash(line, call)):
            return self._run_in_bash(line)
        if self._is_for_program(call.name, call.arguments):
            return self._bash(f"command {line.lstrip()}")
        if not call.operator or (call.operator in _SEPARATORS and not call.rest):
            return self._call(call)
        if call.operator in _SEPARATORS:
            code = self._call(call)
            continues = {"&&": code == 0, "||": code != 0}.get(call.operator, True)
            return self.run(call.rest) if continues else code
        if call.operator in _PIPES and call.rest:
            return self._feed(call)
        return _refuse(
            f"a builtin can't be followed by {call.operator!r}",
            f"for the program of that name: @{call.name}; builtins take | > >> && || ;",
        )

    def _run_in_bash(self, line: str) -> int:
        """Run a line in bash; if its program is missing and a pack has it, offer the pack and run the line again."""
        code = self._bash(line)
        if code != NOT_FOUND_EXIT_CODE:
            return code
        words = [token.text for token in tokens(line) if not token.operator]
        tool = words[0].removeprefix("@") if words else ""
        shell = self._context().interactive_shell if tool in PACK_OF_TOOL else None
        if shell is None or tool in shell.tools:
            return code
        pack = PACK_OF_TOOL[tool]
        if not shell.confirm(f"{tool} is in pack {pack}: install it? [y/N] "):
            return code
        installed = self._call(BuiltinCall("install", (pack,)))
        return self._bash(line) if installed == 0 else installed

    def _needs_bash(self, line: str, call: BuiltinCall) -> bool:
        """Return whether a line has more than one command, or arguments that bash expands."""
        if call.operator:
            return call.operator != "\n" or bool(call.rest)
        return any(_EXPANDS.search(token.text) and token.text[0] != "'" for token in tokens(line)[1:])

    def _is_for_program(self, name: str, arguments: Sequence[str]) -> bool:
        """Return whether the program of a builtin's name is meant, since the builtin doesn't take the arguments."""
        if name not in PROGRAMS or {"-h", "--help"} & set(arguments):
            return False
        try:
            with load(name).make_context(name, list(arguments), obj=self._context()):
                return False
        except click.UsageError:
            return True
        except (click.ClickException, click.exceptions.Exit, click.Abort, PydError, OSError):
            return False  # running it reports the error

    def refusal(self, name: str) -> str:
        """Return why bash may not call a builtin; empty if it may. The request comes from inside the container."""
        if name not in BUILTINS:
            return "no such builtin"
        if name not in NESTED:
            return f"{name} works only at the start of a line, since it acts on this machine"
        return "" if name in self._typed else f"{name} runs once its name was typed in this shell"

    def run_nested(self, name: str, arguments: Sequence[str]) -> int:
        """Run a builtin that bash calls, and return its exit code; see `BuiltinCalls`."""
        if self._is_for_program(name, arguments):
            return FOR_PROGRAM_EXIT_CODE
        return self._call(BuiltinCall(name, tuple(arguments)))

    def _feed(self, call: BuiltinCall) -> int:
        """Run a builtin and pass its output to the rest of the line, in bash."""
        output = io.BytesIO()  # bytes: a capture isn't text
        with contextlib.redirect_stdout(io.TextIOWrapper(output, "utf-8", "surrogateescape", write_through=True)):
            code = self._call(call)
            data = output.getvalue()
        if code != 0 and not data:
            return code
        if len(data) > MAX_PIPED_BYTES:
            return _refuse(f"{call.name} printed {len(data)} bytes, too many for a pipe to bash", "narrow it down")
        return self._bash(f"{_printf_command(data)} {call.operator} {call.rest}")

    def _call(self, call: BuiltinCall) -> int:
        result = 0
        self.busy = True
        with _reported_errors() as failed:
            command = load(call.name)
            try:
                with command.make_context(call.name, list(call.arguments), obj=self._context()) as context:
                    value = command.invoke(context)
                    result = value if isinstance(value, int) else 0
            except click.exceptions.Exit as end:
                result = end.exit_code
            except SystemExit as end:
                result = end.code if isinstance(end.code, int) else failures.FAILED
        self.busy = False
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        return failed[0] if failed else result


def _printf_command(data: bytes) -> str:
    """Return a bash command that prints this; no bash word can hold a null byte."""
    escaped = data.replace(b"\\", rb"\\").replace(b"\0", rb"\0000") if b"\0" in data else data
    form = "%s" if escaped is data else "%b"
    return f"builtin printf {form} {shlex.quote(escaped.decode(errors='surrogateescape'))}"


def _refuse(message: str, hint: str) -> int:
    error = InvalidInput(message, hint=hint)
    failures.report(error)
    return failures.exit_code(error)


@contextlib.contextmanager
def _reported_errors() -> Iterator[list[int]]:
    """Report an error of the block in one line, and yield a list that gets its exit code."""
    codes: list[int] = []
    try:
        yield codes
    except (click.ClickException, click.Abort) as error:
        own = from_click(error)
        failures.report(own)
        codes.append(failures.exit_code(own))
    except (PydError, OSError, KeyboardInterrupt) as error:
        failures.report(error)
        codes.append(failures.exit_code(error))
    except Exception as error:  # noqa: BLE001 - a bug in a builtin is no reason to lose a session
        failures.report(error)
        codes.append(failures.FAILED)
