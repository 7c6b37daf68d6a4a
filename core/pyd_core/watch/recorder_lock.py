"""Lock for a single recorder per engine: a file next to the history, released with its process (flock(2))."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from pyd_core.errors import Conflict


class RecorderLock:
    """The right to record an engine into a history, until it is closed.

    Raises:
        Conflict: Another process already records that engine in this history.
        OSError: The directory can't be created or written.
    """

    def __init__(self, history: Path, engine: str) -> None:
        history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = hashlib.sha256(engine.encode()).hexdigest()[:12]
        path = history.with_name(f"{history.name}.{key}.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Conflict(
                f"another recorder already writes this engine's deaths to {history}",
                hint="read them with pyd history; --file records elsewhere",
                reference="already-recording",
            ) from None

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)
