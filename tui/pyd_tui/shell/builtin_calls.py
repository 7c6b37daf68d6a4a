"""Answers to builtins that bash calls: in loops, pipes, `$()`, and anywhere but at the start of a line.

Each call runs in a process of its own, a fork of this one. So ctrl-c, a closed pipe or a bug ends the call and nothing
else. The requests come from inside the container. They are answered only for builtins that change nothing on this
machine, and only for those whose names the user has typed in this shell.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Collection
from typing import NoReturn

from pyd_core.debug.builtin_calls import (
    MAX_FRAME_BYTES,
    NEXT,
    BuiltinRequest,
    BuiltinRequests,
    end_frame,
    frame,
    program_frame,
)
from pyd_core.debug.syscalls import PR_SET_PDEATHSIG, prctl
from pyd_core.debug.terminal import TerminalRelay, write_all

REFUSED_EXIT_CODE = 2
INTERRUPTED_EXIT_CODE = 130
FOR_PROGRAM_EXIT_CODE = 201
"""The call's process exits with it where the arguments are for the program of that name; no builtin does."""


class BuiltinCalls:
    """Runs one call at a time.

    Args:
        run: Runs a call in the forked process, with stdout and stderr for it, and returns its exit code, or
            `FOR_PROGRAM_EXIT_CODE`.
        refusal: Returns why a name isn't answered; empty if it is.
    """

    def __init__(self, run: Callable[[BuiltinRequest], int], refusal: Callable[[str], str]) -> None:
        self._run = run
        self._refusal = refusal
        self._requests = BuiltinRequests()
        self._relay: TerminalRelay | None = None
        self._answers = self._source = -1
        self._pid = 0
        self._request = BuiltinRequest("")
        self._kinds: dict[int, str] = {}
        """The pipes of the running call, and the frames of what they carry."""

    def open(self, answers: int, source: int, relay: TerminalRelay) -> None:
        """Answer requests while a line runs.

        Args:
            answers: The pipe to write frames to.
            source: The pipe to read requests from.
            relay: The relay of the running line, which calls back when there is something to read.
        """
        self.hold(answers, source)
        self._relay = relay
        relay.add(source, self._on_requests)

    def hold(self, answers: int, source: int) -> None:
        """Take the pipes without answering: requests are only refused."""
        self._answers, self._source = answers, source
        os.set_blocking(answers, False)

    def refuse(self) -> None:
        """Refuse a request that comes while no line runs."""
        for request in self._read():
            if isinstance(request, BuiltinRequest):
                self._drain()
                self._fail(request, "builtins run in the foreground only", REFUSED_EXIT_CODE)

    def on_line_end(self) -> None:
        """End a call that the line has left behind."""
        if self._pid:
            self._stop()
            self._write(end_frame(self._request, INTERRUPTED_EXIT_CODE))

    def _read(self) -> Collection[BuiltinRequest | str]:
        data = os.read(self._source, 65536)
        if not data and self._relay is not None:
            self._relay.forget(self._source)
        return self._requests.feed(data)

    def _on_requests(self) -> bool:
        for request in self._read():
            if isinstance(request, BuiltinRequest):
                self._stop()
                self._drain()
                if why := self._refusal(request.name):
                    self._fail(request, why, REFUSED_EXIT_CODE)
                else:
                    self._start(request)
                    self._listen()
            elif request == NEXT and self._pid:
                self._listen()
        return False

    def _start(self, request: BuiltinRequest) -> None:
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in "ox"]
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._request = request
        self._pid = os.fork()
        if self._pid == 0:
            self._become_call(request, [end for _, end in pipes])
        for kind, (source, end) in zip("ox", pipes, strict=True):
            os.close(end)
            self._kinds[source] = kind

    def _become_call(self, request: BuiltinRequest, outputs: list[int]) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGWINCH):
                signal.signal(ending, signal.SIG_DFL)
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.setpgid(0, 0)  # its own programs end with it
            columns = os.get_terminal_size(1).columns
            nothing = os.open(os.devnull, os.O_RDONLY)
            for number, descriptor in enumerate((nothing, *outputs)):
                os.dup2(descriptor, number)
            os.environ["COLUMNS"] = str(columns)
            sys.stdout, sys.stderr = _stream(1, terminal=request.terminal), _stream(2, terminal=request.terminal)
            code = self._run(request)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def _listen(self) -> None:
        if self._relay is None:
            return
        if not self._kinds:
            self._finish()
        for source in self._kinds:
            self._relay.add(source, lambda source=source: self._on_output(source))  # type: ignore[misc]

    def _on_output(self, source: int) -> bool:
        kind = self._kinds.get(source)
        if kind is None or self._relay is None:
            return False
        data = os.read(source, MAX_FRAME_BYTES)
        if not data:
            self._relay.forget(source)
            os.close(source)
            del self._kinds[source]
            if not self._kinds:
                self._finish()
            return False
        for other in self._kinds:  # one frame, then the function asks for the next
            self._relay.forget(other)
        self._write(frame(self._request, kind, data))
        return False

    def _finish(self) -> None:
        pid, self._pid = self._pid, 0
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code == FOR_PROGRAM_EXIT_CODE:
            self._write(program_frame(self._request))
        else:
            self._write(end_frame(self._request, code if code >= 0 else 128 - code))

    def _stop(self) -> None:
        """End the running call, and all that it started."""
        pid, self._pid = self._pid, 0
        if not pid:
            return
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for source in self._kinds:
            if self._relay is not None:
                self._relay.forget(source)
            os.close(source)
        self._kinds.clear()

    def _drain(self) -> None:
        """Drop what a killed function has left of an answer."""
        with contextlib.suppress(OSError):
            leftover = os.open(f"/proc/self/fd/{self._answers}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                while os.read(leftover, 65536):
                    pass
            finally:
                os.close(leftover)

    def _fail(self, request: BuiltinRequest, why: str, code: int) -> None:
        self._write(frame(request, "x", f"pyd: {why}\n".encode()) + end_frame(request, code))

    def _write(self, data: bytes) -> None:
        """Write an answer; drop what doesn't fit, since a program asked for more than it reads, or bash has ended."""
        with contextlib.suppress(OSError):
            write_all(self._answers, data)


def _stream(descriptor: int, *, terminal: bool) -> io.TextIOWrapper:
    raw = _CallOutput(descriptor, terminal=terminal)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="surrogateescape", line_buffering=True)


class _CallOutput(io.FileIO):
    """A pipe that stands for a terminal, or for none."""

    def __init__(self, descriptor: int, *, terminal: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal
