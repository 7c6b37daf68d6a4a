"""The limit of open files, see getrlimit(2), and the errors of scarce resources."""

from __future__ import annotations

import errno
import resource

INHERITED_OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
"""The soft and hard limit that this process was started with; containers get these."""
MAX_OPEN_FILES = 1 << 20

SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS})
"""Errors that pass: no descriptor, memory or process is left just now."""


def raise_open_files() -> int:
    """Raises the soft limit on descriptors to the hard one, as Docker Engine does, and returns it.

    A shell's is usually 1024, and a container with a client takes about ten.
    """
    soft, hard = INHERITED_OPEN_FILES
    new_limit = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < new_limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (new_limit, hard))
        return new_limit
    return soft if soft != resource.RLIM_INFINITY else MAX_OPEN_FILES
