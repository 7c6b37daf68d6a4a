"""Following what an engine tells while it pulls, pushes, loads or builds."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pyd_core.client.json_stream import records
from pyd_core.client.transport.base import Stream
from pyd_core.errors import EngineError, NotFound, PydError, Refused
from pyd_core.model.progress import Progress
from pyd_core.sanitise import safe

DENIED = ("unauthorized", "denied", "authentication required", "no basic auth credentials")
ABSENT = ("manifest unknown", "not found", "does not exist")


async def progress(stream: Stream, *, remote: bool = False) -> AsyncIterator[Progress]:
    """Decode the stream, line by line.

    Args:
        stream: The engine's answer.
        remote: A registry is asked, and its words tell why it said no.

    Raises:
        EngineError: The work failed; the engine says so in the stream, for its status was sent before.
        Refused: A registry said no.
        NotFound: A registry hasn't got it.
    """
    async for told in records(stream, Progress):
        if told.error or told.error_detail:
            raise _failure(told, remote=remote)
        yield told


def _failure(told: Progress, *, remote: bool) -> PydError:
    message = safe(" ".join((told.error or (told.error_detail.message if told.error_detail else "")).split()))
    lower = message.lower()
    if remote and any(words in lower for words in DENIED):
        return Refused(message, hint="pyd login REGISTRY, and check the name", reference="registry-refused")
    if remote and any(words in lower for words in ABSENT):
        return NotFound(message, hint="check the name and the tag", reference="no-such-remote-image")
    return EngineError(message)
