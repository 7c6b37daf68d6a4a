"""Options of the debugger of builds."""

from __future__ import annotations

import msgspec

ON_ERROR = "error"


class BuildDebugOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The step to stop at, and the command to run there.

    Attributes:
        on: `error`, a step, or a line of the Dockerfile.
        command: What to run in place of an interactive shell.
        is_later: Whether the build has ended: only a failure that the builder kept is entered, without the secrets and
            agents of the build.
    """

    on: str = ON_ERROR
    command: str | None = None
    is_later: bool = False


class RebuildRequested(Exception):
    """The user wants the build to start again, with the files as they are now."""
