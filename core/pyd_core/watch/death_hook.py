"""Hook that runs a command for each death."""

from __future__ import annotations

import asyncio
import contextlib
import shlex

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.watch.history_store import Death

COMMAND_TIMEOUT_S = 30.0
"""A command that takes longer is killed."""
MAX_CONCURRENCY = 4
MAX_WAITING = 100
"""Deaths that wait for a free command; further ones are dropped and counted."""


class DeathHook:
    """Runs a command for each death, the death as JSON on its standard input.

    Args:
        command: As in a shell, but run without one, so that a container's name can't become a command.

    Attributes:
        dropped: How many deaths were not reported because too many waited.
        failed: How many commands ended with an error or took too long.

    Raises:
        InvalidInput: The command can't be split into words.
    """

    def __init__(self, command: str) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise InvalidInput(f"not a command: {error}") from error
        if not self._command:
            raise InvalidInput("the command to run on a death is empty")
        self._limit = asyncio.Semaphore(MAX_CONCURRENCY)
        self._waiting = 0
        self.dropped = 0
        self.failed = 0

    async def __call__(self, death: Death) -> None:
        """Run the command for a death and wait for its end."""
        if self._waiting >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting += 1
        try:
            async with self._limit:
                await self._run(msgspec.json.encode(death) + b"\n")
        finally:
            self._waiting -= 1

    async def _run(self, document: bytes) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.PIPE)
        except OSError:
            self.failed += 1
            return
        try:
            await asyncio.wait_for(process.communicate(document), COMMAND_TIMEOUT_S)
        except TimeoutError:
            self.failed += 1
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        else:
            self.failed += process.returncode != 0
