"""The deadline for the engine's stop, which holds even when a call blocks all Python code.

Python runs signal handlers between instructions of the main thread, so one long call keeps SIGTERM from being noticed.
So this works without the interpreter. `faulthandler` writes a traceback into a pipe, from the signal handler itself.
The pipe sends this process a signal (`O_ASYNC`, fcntl(2)), whose handler is alarm(2) of the C library. It takes the
signal's number for seconds.
"""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import os
import signal
from types import TracebackType
from typing import Self

_libc = ctypes.CDLL(None)
_libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
_libc.signal.restype = ctypes.c_void_p
_F_SETSIG = 10


class Deadline:
    """Ends the process some time after SIGTERM, unless `met` is called; a context manager.

    Enter it after handlers of SIGTERM are set: they are called as before.

    Args:
        carrier: A signal that nothing else uses. Its number is the timeout in seconds.
    """

    def __init__(self, carrier: signal.Signals = signal.SIGIO) -> None:
        self._carrier = carrier

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        fcntl.fcntl(self._read, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(self._read, _F_SETSIG, self._carrier)
        self._previous = _libc.signal(self._carrier, ctypes.cast(_libc.alarm, ctypes.c_void_p))
        fcntl.fcntl(self._read, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
        faulthandler.register(signal.SIGALRM, all_threads=True, chain=True)  # writes where it hangs, then ends
        faulthandler.register(signal.SIGTERM, file=self._write, all_threads=False, chain=True)
        return self

    def met(self) -> None:
        """Mark the deadline as met: the process is stopping on its own."""
        signal.alarm(0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.fcntl(self._read, fcntl.F_SETFL, os.O_NONBLOCK)  # closing the pipe sends the signal too
        faulthandler.unregister(signal.SIGTERM)
        faulthandler.unregister(signal.SIGALRM)
        self.met()
        _libc.signal(self._carrier, self._previous)
        os.close(self._write)
        os.close(self._read)
