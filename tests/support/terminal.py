"""A real terminal for a test: one program in a tmux pane of fixed size, driven and read over tmux's control mode.

Each terminal is a tmux server of its own (socket by unique name, no configuration file), so a test never meets a
developer's sessions. Control mode (tmux(1), CONTROL MODE) reports every piece of output with `%output`, which is what
`wait_for` waits on: nothing here sleeps or polls.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from support.picture import ansi_to_svg, svg_to_png

BOUND = 120.0
"""Seconds a wait may last before the test fails; a busy machine is slow, so no test asserts a time by this."""


class Opener(Protocol):
    """Opens a terminal that is closed at the end of the test: the `terminal` fixture."""

    def __call__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str] | None = None,
    ) -> Terminal:
        """Start the program; see `Terminal`."""
        ...


class Terminal:
    """A program in a terminal: send keys, wait for text, look at the screen; a context manager that ends it all.

    Args:
        argv: The program and its arguments; found on PATH, never read by a shell.
        size: Columns and lines.
        env: Variables on top of this process's own.
        cwd: Where the program starts.
    """

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.columns, self.lines = size
        self.socket = f"pyd-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._pending = b""
        self._tmux = ["tmux", "-u", "-L", self.socket, "-f", os.devnull]
        base = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE", "NO_COLOR")}
        program = [os.fspath(part) for part in argv]
        # A history of its own, recorded as it is for every user.
        self._history = tempfile.TemporaryDirectory(prefix="pyd-test-history-", ignore_cleanup_errors=True)
        variables = {"COLORTERM": "truecolor", "PYD_HISTORY": f"{self._history.name}/history.db", **(env or {})}
        subprocess.run(
            [
                *self._tmux,
                *("set-option", "-g", "default-terminal", "tmux-256color", ";"),
                *("set-option", "-g", "status", "off", ";"),
                *("set-option", "-g", "history-limit", "20000", ";"),
                *("set-option", "-s", "escape-time", "0", ";"),
                *("set-option", "-g", "remain-on-exit", "on", ";"),
                *("set-option", "-g", "remain-on-exit-format", "", ";"),
                *("set-hook", "-g", "pane-died", "wait-for -S died", ";"),
                *("new-session", "-d", "-x", str(self.columns), "-y", str(self.lines)),
                *(part for name, value in variables.items() for part in ("-e", f"{name}={value}")),
                *(("-c", os.fspath(cwd)) if cwd is not None else ()),
                *("--", "env", *program),
            ],
            check=True,
            env={**base, "LC_ALL": "C.UTF-8"},
        )
        self._control = subprocess.Popen(
            [*self._tmux, "-C", "attach-session", "-f", "ignore-size"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**base, "LC_ALL": "C.UTF-8"},
        )
        self._reply()  # attach-session itself is the first command control mode answers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up: the program gets SIGHUP, the tmux server ends."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)
        try:
            self._control.communicate(timeout=BOUND)  # the client leaves once its input ends and its output is read
        except subprocess.TimeoutExpired:
            self._control.kill()
            self._control.communicate()
            raise
        finally:
            self._history.cleanup()

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: `j`, `Enter`, `Escape`, `Space`, `C-c`, `Up`, `F1`."""
        self._command("send-keys", "--", *names)

    def type(self, text: str) -> None:
        """Type text as it stands; end it with `Enter` by `keys`."""
        self._command("send-keys", "-l", "--", text)

    def click(self, text: str, *, button: int = 0, times: int = 1) -> None:
        """Click the first occurrence of a text, as terminals report it (xterm's ctlseqs, SGR mouse mode).

        Args:
            text: The text; waited for.
            button: 0 is the left button, 2 the right one.
            times: 2 is a double click.
        """
        lines = self.wait_for(text).split("\n")
        row = next(number for number, line in enumerate(lines) if text in line)
        column = lines[row].index(text) + 1
        for _ in range(times):
            for end in "Mm":  # pressed, released
                self.type(f"\x1b[<{button};{column + 1};{row + 1}{end}")

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the terminal; the program gets SIGWINCH."""
        self.columns, self.lines = columns, lines
        self._command("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def screen(self) -> str:
        """The text on the screen, a line per row without trailing spaces."""
        return self._command("capture-pane", "-p")

    @property
    def history(self) -> str:
        """The text that scrolled off the screen, and the screen."""
        return self._command("capture-pane", "-p", "-S", "-")

    @property
    def ansi(self) -> str:
        """The text on the screen, with SGR sequences for its colours."""
        return self._command("capture-pane", "-p", "-e", "-N")

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and line of the cursor, from zero."""
        x, y = self._command("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program holds the screen (and would give back what was there before)."""
        return self._command("display-message", "-p", "#{alternate_on}").strip() == "1"

    @property
    def pid(self) -> int:
        """Process id of the program."""
        return int(self._command("display-message", "-p", "#{pane_pid}"))

    def wait_for(self, pattern: str | re.Pattern[str], bound: float = BOUND) -> str:
        """Wait until a text (or a match of a compiled pattern) is on the screen and return the screen."""
        return self._wait(pattern, bound, expected=True)

    def wait_gone(self, pattern: str | re.Pattern[str], bound: float = BOUND) -> str:
        """Wait until a text (or a match of a compiled pattern) is no longer on the screen and return the screen."""
        return self._wait(pattern, bound, expected=False)

    def wait_silent(self, seconds: float, bound: float = BOUND) -> None:
        """Wait until the program has written nothing for some seconds."""
        deadline = time.monotonic() + bound
        while self._output(time.monotonic() + seconds):
            assert time.monotonic() < deadline, f"never silent for {seconds:g} s\n{self._frame()}"

    def wait_exit(self, bound: float = BOUND) -> int:
        """Wait until the program ended and return its exit code, or minus the signal's number; the screen stays."""
        try:
            subprocess.run([*self._tmux, "wait-for", "died"], check=True, timeout=bound)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {bound:g} s\n{self._frame()}") from None
        deadline = time.monotonic() + bound
        while True:  # a terminal that is closed before its program is reaped is dead without a status for a moment
            words = self._command("display-message", "-p", "#{pane_dead_status}|#{pane_dead_signal}")
            status, signal = words.strip().split("|")
            if status or signal:
                return int(status) if status else -int(signal)
            assert time.monotonic() < deadline, "it has no exit status"
            self._line(time.monotonic() + 0.05)

    def svg(self, title: str = "") -> str:
        """The screen as an SVG picture."""
        return ansi_to_svg(self.ansi, self.columns, title)

    def png(self, path: str | os.PathLike[str], title: str = "") -> Path:
        """Write the screen as a PNG picture (needs rsvg-convert) and return its path."""
        return svg_to_png(self.svg(title), path)

    def _wait(self, pattern: str | re.Pattern[str], bound: float, *, expected: bool) -> str:
        """Look at the screen, again after each piece of output, and a last time when the bound is reached."""
        expression = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        deadline, closed = time.monotonic() + bound, False
        while True:
            screen = self.screen
            if bool(expression.search(screen)) is expected:
                return screen
            if closed:
                what = "not on" if expected else "still on"
                raise AssertionError(f"{pattern!r} {what} the screen after {bound:g} s\n{self._frame()}")
            closed = not self._output(deadline)

    def _frame(self) -> str:
        """The screen in a box, for a failure's message."""
        rule = "+" + "-" * self.columns + "+"
        body = [f"|{line:<{self.columns}}|" for line in self.screen.splitlines()]
        return "\n".join([rule, *body, rule])

    def _command(self, *arguments: str) -> str:
        """Run one tmux command over the control connection and return what it printed."""
        assert self._control.stdin is not None
        self._control.stdin.write(shlex.join(arguments).encode() + b"\n")
        self._control.stdin.flush()
        return self._reply()

    def _reply(self) -> str:
        """Read up to the end of one command's answer; notifications before it are of no interest."""
        deadline = time.monotonic() + BOUND
        answer: list[bytes] | None = None
        while True:
            line = self._line(deadline)
            if line is None:
                raise AssertionError("the terminal gives no answer")
            if line.startswith(b"%begin "):
                answer = []
            elif line.startswith((b"%end ", b"%error ")) and answer is not None:
                text = b"\n".join(answer).decode(errors="replace")
                if line.startswith(b"%error "):
                    raise AssertionError(f"tmux: {text}")
                return text
            elif answer is not None:
                answer.append(line)

    def _output(self, deadline: float) -> bool:
        """Wait for the next burst of the program's output and discard it; False at the deadline."""
        while (line := self._line(deadline)) is not None:
            if line.startswith((b"%output ", b"%layout-change ")):
                while self._line(0.0) is not None:
                    pass
                return True
        return False

    def _line(self, deadline: float) -> bytes | None:
        """Return a line from the control connection, or None at the deadline."""
        assert self._control.stdout is not None
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._control.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(self._control.stdout.fileno(), 1 << 16)
            if not chunk:
                raise AssertionError("the terminal is gone")
            self._pending += chunk
        line, self._pending = self._pending.split(b"\n", 1)
        return line
