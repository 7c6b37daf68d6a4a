"""Records of running sessions: a directory each; later sessions remove those of killed ones.

A directory lies below `/run/pyd/sessions`, for others than root below `XDG_RUNTIME_DIR`, and holds `session.json` and,
where the session can be attached to, the socket `attach`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pyd_core.debug.options import DebugOptions
from pyd_core.errors import Ambiguous, NotFound, PydError
from pyd_core.linux.process import ProcessEntry, is_alive

_FILE, SOCKET = "session.json", "attach"


class SessionRecord(msgspec.Struct, kw_only=True):
    """A session.

    Attributes:
        id: The session's name, six hexadecimal digits.
        container: The target's name, as the engine has it: not safe to show.
        container_id: The target's id; empty for a process by its number.
        engine: The engine's address.
        pid: The process that has the session.
        start: When that began, clock ticks since boot.
        target_pid: The target's main process.
        target_start: When that began.
        created: Seconds since 1970.
        toolbox: The toolbox's directory.
        elsewhere: Whether a helper container enters the target: its pid is then the helper's word.
        options: The session's options.
        detachable: Whether it can be attached to.
        attached: Whether a client is attached.
        ttl: Seconds without a client after which it ends; 0 is never.
    """

    id: str
    container: str
    container_id: str
    engine: str
    pid: int
    start: int
    target_pid: int
    target_start: int
    created: float
    toolbox: str
    elsewhere: bool = False
    options: DebugOptions
    detachable: bool = False
    attached: bool = True
    ttl: float = 0


def sessions_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the directories lie."""
    if os.geteuid() == 0:
        return Path(environ.get("PYD_SESSIONS") or "/run/pyd/sessions")
    return Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}") / "pyd/sessions"


class SessionEntry:
    """The directory of this process's own session; a context manager that removes it.

    Args:
        record: The record to write; `id`, `pid`, `start` and `created` are filled in.

    Raises:
        PydError: It can't be made.
    """

    def __init__(self, record: SessionRecord) -> None:
        self.record = record
        record.pid, record.created = os.getpid(), time.time()
        with ProcessEntry(record.pid) as own:
            record.start = own.start
        root = sessions_root()
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(root)
            while True:
                record.id = os.urandom(3).hex()
                self.path = root / record.id
                with contextlib.suppress(FileExistsError):
                    self.path.mkdir(mode=0o700)
                    break
            self.write()
        except OSError as error:
            raise PydError(f"a session can't be recorded in {root}: {error.strerror}") from error

    def write(self) -> None:
        """Write down what has changed."""
        fresh = self.path / f".{_FILE}"
        fresh.write_bytes(msgspec.json.encode(self.record))
        fresh.rename(self.path / _FILE)

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove what killed sessions left."""
    for path in root.iterdir():
        record = _read(path)
        if record is not None and not is_alive(record.pid, record.start):
            shutil.rmtree(path, ignore_errors=True)


def list_sessions() -> list[SessionRecord]:
    """Return the sessions there are, the oldest first."""
    root = sessions_root()
    try:
        sweep(root)
        records = [record for path in root.iterdir() if (record := _read(path)) is not None]
    except OSError:
        return []
    return sorted(records, key=lambda record: record.created)


def find_session(name: str) -> SessionRecord:
    """Return the session of an id, of an id's beginning, or of a container that has just one.

    Raises:
        NotFound: There is none.
        Ambiguous: There are several.
    """
    known = list_sessions()
    matches = [record for record in known if record.id == name] or [
        record for record in known if (name and record.id.startswith(name)) or record.container == name
    ]
    if not matches:
        raise NotFound(f"no session {name!r}", hint="list them with: pyd debug ls", reference="no-such-session")
    if len(matches) > 1:
        raise Ambiguous(f"{name!r} could be several sessions", candidates=[record.id for record in matches])
    return matches[0]


def _read(path: Path) -> SessionRecord | None:
    """Return a directory's record; None while it is being made, or where it is none."""
    try:
        return msgspec.json.decode((path / _FILE).read_bytes(), type=SessionRecord)
    except (OSError, msgspec.MsgspecError):
        return None
