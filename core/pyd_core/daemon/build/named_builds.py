"""Builds that clients have named with `buildid`: they can be cancelled, and take their context from another request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyd_core.errors import Conflict, EngineError, InvalidInput

WAIT_S = 5.0
"""How long each of the two requests waits for the other, as in Docker Engine."""
MAX_NAMED_BUILDS = 200
MAX_ID_BYTES = 256


@dataclass(eq=False)
class NamedBuild:
    """A build and the upload of its context.

    Attributes:
        users: How many requests have it open.
        is_wanted: Set once the build waits for its context.
        is_offered: Set once there is a request with the context.
        context: The file with the context, once it is received.
        work: The build, once it runs.
    """

    users: int = 0
    is_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    is_offered: asyncio.Event = field(default_factory=asyncio.Event)
    context: asyncio.Future[Path] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    work: asyncio.Task[dict[str, str]] | None = None

    async def await_upload(self) -> Path:
        """Return the file with the context, which is then the caller's.

        Raises:
            EngineError: No request brings it in time, or that request fails.
        """
        self.is_wanted.set()
        await _wait(self.is_offered)
        return await self.context

    async def await_build(self) -> None:
        """Wait until the build wants its context.

        Raises:
            Conflict: Another request brings it.
            EngineError: No build wants it in time.
        """
        if self.is_offered.is_set():
            raise Conflict("the context of this build is uploaded already")
        self.is_offered.set()
        await _wait(self.is_wanted)

    def give(self, file: Path) -> None:
        """Give the context to the build, or remove it where the build has ended."""
        if self.context.done():
            file.unlink(missing_ok=True)
        else:
            self.context.set_result(file)

    def give_up(self) -> None:
        """Let the build fail unless its context was received."""
        if not self.context.done():
            self.context.set_exception(EngineError("the upload of the build's context broke off"))
            self.context.exception()  # nothing may wait for it any more


class NamedBuilds:
    """The named builds of an engine."""

    def __init__(self) -> None:
        self._open: dict[str, NamedBuild] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def opened(self, build_id: str) -> Iterator[NamedBuild]:
        """Open a build by its name; it is forgotten with its last user.

        Raises:
            InvalidInput: The name is too long.
            Conflict: There are too many.
        """
        if len(build_id) > MAX_ID_BYTES:
            raise InvalidInput("a build needs an id of at most 256 characters")
        if build_id not in self._open and len(self._open) >= MAX_NAMED_BUILDS:
            raise Conflict("there are too many builds")
        build = self._open.setdefault(build_id, NamedBuild())
        build.users += 1
        try:
            yield build
        finally:
            build.users -= 1
            if not build.users:
                self._open.pop(build_id, None)

    def cancel(self, build_id: str) -> None:
        """Cancel a build; one that doesn't run is ignored, as by Docker Engine."""
        build = self._open.get(build_id)
        if build is not None and build.work is not None:
            build.work.cancel()


async def _wait(event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(WAIT_S):
            await event.wait()
    except TimeoutError:
        raise EngineError("context deadline exceeded") from None
