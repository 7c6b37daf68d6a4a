"""A container as this process knows it: its record, and what lives only in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyd_core.daemon.containers.attach import Attachment
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import Conflict
from pyd_core.model.container_state import Health

if TYPE_CHECKING:
    from pyd_core.daemon.containers.exec_record import Exec


class EngineContainer:
    """One container.

    Attributes:
        lock: Held by whatever changes its state.
        attachments: Clients joined to its streams, those that wait for the start among them.
        open_log_inodes: The inode numbers of the files of its log that clients read, once for each client.
        unclean: Whether something of its last run is left that could not be taken away yet.
        looks: How many look into it from outside, and have its layers mounted where it doesn't run.
        restarts_in_progress: How many clients restart it just now; while any does, its end doesn't remove it.
    """

    def __init__(self, record: ContainerRecord, *, root: Path, run: Path) -> None:
        self.record = record
        self.directory = root / record.id
        """What outlives a reboot: writable layer, log, hosts file."""
        self.bundle = run / record.id
        self.lock = asyncio.Lock()
        self.attachments: set[Attachment] = set()
        self.open_log_inodes: list[int] = []
        self.looks = 0
        self.restarts_in_progress = 0
        self.unclean = False
        self.execs: dict[str, Exec] = {}
        self.health: Health | None = None
        self.health_wanted = asyncio.Event()
        self._ends: set[asyncio.Future[int]] = set()
        self._removals: set[asyncio.Future[int]] = set()
        self._watch: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def root(self) -> Path:
        """Where its file system is mounted while it runs."""
        return self.directory / "merged"

    @property
    def upper(self) -> Path:
        """Its writable layer."""
        return self.directory / "diff"

    @property
    def work(self) -> Path:
        """The directory overlayfs works in."""
        return self.directory / "work"

    @property
    def log(self) -> Path:
        """What it printed, in conmon's `k8s-file` format."""
        return self.directory / "container.log"

    def ensure_not_removing(self, wanted: str) -> None:
        """Refuses to work on what is being taken away, which may take long.

        Args:
            wanted: What was to be done with it, for the message: `started`.

        Raises:
            Conflict: It is about to be removed, or is gone since it was found.
        """
        if self.record.phase != "ready":
            raise Conflict(f"container {self.id[:12]} is marked for removal and cannot be {wanted}")

    def attributes(self, **more: str) -> dict[str, str]:
        """What events tell about it."""
        return {**self.record.config.labels, "image": self.record.image, "name": self.record.name, **more}

    def next_end(self) -> asyncio.Future[int]:
        """Resolves with the exit code when it next ends; to be cancelled by who waits no longer."""
        return _registered(self._ends)

    def removal(self) -> asyncio.Future[int]:
        """Resolves with the last exit code when it is removed; to be cancelled by who waits no longer."""
        return _registered(self._removals)

    def notify_exit(self) -> None:
        """Wakes who waits for the end."""
        for future in list(self._ends):
            if not future.done():
                future.set_result(self.record.exit_code)

    def tell_removed(self) -> None:
        """Wakes who waits for the removal."""
        self.notify_exit()
        for future in list(self._removals):
            if not future.done():
                future.set_result(self.record.exit_code)
        self.release_waiting_clients()

    def release_waiting_clients(self) -> None:
        """Lets the clients go that attached for a start that doesn't come."""
        for attachment in self.attachments:
            attachment.give_up()

    def release_attachments(self) -> None:
        """Has all that is still to come taken at once: its main process has ended."""
        for attachment in self.attachments:
            attachment.release()


class ContainerLookup(Protocol):
    """Read access to the engine's containers."""

    def all(self) -> list[EngineContainer]:
        """Return every container, newest first."""

    def get(self, key: str) -> EngineContainer | None:
        """Return a container by its id."""

    def find(self, name: str) -> EngineContainer:
        """Return a container by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is none.
            Ambiguous: Several ids begin so.
        """


def _registered(waiting: set[asyncio.Future[int]]) -> asyncio.Future[int]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting.add(future)
    future.add_done_callback(waiting.discard)
    return future
