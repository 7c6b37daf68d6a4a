"""Helper processes that must not outlive pyd, however it ends."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when the thread that started it ends; kept across exec."""


def die_with_parent() -> Callable[[], None] | None:
    """Return what a child is to do before it becomes the program, so that it gets SIGTERM when pyd dies.

    None where the kernel has no such thing; there only an orderly end of pyd ends its helpers.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: between fork and exec nothing may be loaded

    def request_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return request_signal
