"""How many descriptors this process may hold, see getrlimit(2), and which errors say that something is scarce."""

from __future__ import annotations

import errno
import resource

INHERITED_OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
"""Soft and hard limit as this process was started with; containers get these."""
MAX_OPEN_FILES = 1 << 20

SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS})
"""Errors that pass: no descriptor, memory or process is left just now."""


def raise_open_files() -> int:
    """Raises the soft limit on descriptors to the hard one, as Docker Engine does, and returns it.

    A shell's is 1024 as a rule, and a container with a client takes some ten.
    """
    soft, hard = INHERITED_OPEN_FILES
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else MAX_OPEN_FILES
