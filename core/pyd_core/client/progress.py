"""Progress of an engine's pulls, pushes, loads and builds."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pyd_core.client.json_stream import read_records
from pyd_core.client.transport.base import Stream
from pyd_core.errors import EngineError, NotFound, PydError, Refused
from pyd_core.model.progress import Progress
from pyd_core.sanitise import safe

DENIED_PHRASES = ("unauthorized", "denied", "authentication required", "no basic auth credentials")
MISSING_PHRASES = ("manifest unknown", "not found", "does not exist")


async def read_progress(stream: Stream, *, remote: bool = False) -> AsyncIterator[Progress]:
    """Decode the stream, line by line.

    Args:
        stream: The engine's answer.
        remote: A registry is involved, so its error messages are interpreted.

    Raises:
        EngineError: The work failed; the engine reports it in the stream, as its status was sent before.
        Refused: A registry denied access.
        NotFound: The registry has no such image.
    """
    async for update in read_records(stream, Progress):
        if update.error or update.error_detail:
            raise _error_from(update, remote=remote)
        yield update


def _error_from(update: Progress, *, remote: bool) -> PydError:
    message = safe(" ".join((update.error or (update.error_detail.message if update.error_detail else "")).split()))
    lower = message.lower()
    if remote and any(words in lower for words in DENIED_PHRASES):
        return Refused(message, hint="pyd login REGISTRY, and check the name", reference="registry-refused")
    if remote and any(words in lower for words in MISSING_PHRASES):
        return NotFound(message, hint="check the name and the tag", reference="no-such-remote-image")
    return EngineError(message)
