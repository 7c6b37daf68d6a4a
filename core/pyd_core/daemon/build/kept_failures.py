"""Failed steps of builds that have ended, with their files, so that a debugger can enter them later."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildRef, VertexError
from pyd_core.errors import NotFound, PydError

MAX_FAILURES = 5
"""Failures that are kept; their files stay on disk as long."""


@dataclass
class KeptFailure:
    """A failed step.

    Attributes:
        error: The failure, whose states are kept.
        sources: The sources of the build's definitions.
        file: The Dockerfile; None if it wasn't read.
        users: How many builds look at it.
    """

    error: VertexError
    sources: list[ops_pb2.Source] = field(default_factory=list)
    file: ops_pb2.SourceInfo | None = None
    users: int = 0

    def states(self) -> Sequence[BuildRef]:
        """Return the file systems of the step."""
        return [state for state in (*self.error.inputs, *self.error.mounts) if state is not None]


class KeptFailures:
    """The failures of the last builds, in memory: a restart of the engine loses them."""

    def __init__(self) -> None:
        self._by_build: dict[str, KeptFailure] = {}

    async def add(self, build: str, failure: KeptFailure) -> None:
        """Keep a failure, and release the oldest ones beyond `MAX_FAILURES`."""
        earlier = self._by_build.pop(build, None)
        self._by_build[build] = failure
        if earlier is not None:
            await _release(earlier)
        for name in list(self._by_build)[: max(0, len(self._by_build) - MAX_FAILURES)]:
            if not self._by_build[name].users:
                await _release(self._by_build.pop(name))

    def find(self, build: str) -> KeptFailure:
        """Return the failure of a build.

        Raises:
            NotFound: None is kept.
        """
        failure = self._by_build.get(build)
        if failure is None:
            raise NotFound(
                f"no failed step of build {build[:80]} is kept",
                hint=f"the engine keeps those of the last {MAX_FAILURES} failed builds until it restarts",
                reference="no-kept-failure",
            )
        return failure

    async def clear(self) -> None:
        """Release all failures that no build looks at."""
        for name in [name for name, failure in self._by_build.items() if not failure.users]:
            await _release(self._by_build.pop(name))


async def _release(failure: KeptFailure) -> None:
    for state in failure.states():
        with contextlib.suppress(PydError, OSError):
            await state.release()
