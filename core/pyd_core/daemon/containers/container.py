"""A container in memory: its record and its transient state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyd_core.daemon.containers.attach import Attachment
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import Conflict
from pyd_core.model.container_state import Health

if TYPE_CHECKING:
    from pyd_core.daemon.containers.exec_record import Exec


class EngineContainer:
    """A container of the engine.

    Attributes:
        lock: Held during changes of its state.
        attachments: Clients joined to its streams, those that wait for the start among them.
        open_log_inodes: The inode numbers of the files of its log that clients read, once for each client.
        unclean: Whether the clean-up after its last run is unfinished.
        looks: How many operations read its files from outside, and keep its layers mounted where it doesn't run.
        restarts_in_progress: How many clients are restarting it; while any is, its end doesn't remove it.
    """

    def __init__(self, record: ContainerRecord, *, root: Path, run: Path) -> None:
        self.record = record
        self.directory = root / record.id
        """Its files that survive a reboot: writable layer, log, hosts file."""
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
        self._start_interruption: asyncio.Future[None] | None = None

    @property
    def id(self) -> str:
        """The container's id."""
        return self.record.id

    @property
    def root(self) -> Path:
        """The mount point of its root file system."""
        return self.directory / "merged"

    @property
    def upper(self) -> Path:
        """The container's writable layer."""
        return self.directory / "diff"

    @property
    def work(self) -> Path:
        """The work directory of overlayfs."""
        return self.directory / "work"

    @property
    def log(self) -> Path:
        """The log file, in conmon's `k8s-file` format."""
        return self.directory / "container.log"

    def ensure_not_removing(self, purpose: str) -> None:
        """Refuse an operation on a container that is being removed, which may take long.

        Args:
            purpose: The operation as a participle, for the message: `started`.

        Raises:
            Conflict: The container is being removed, or is gone.
        """
        if self.record.phase != "ready":
            raise Conflict(f"container {self.id[:12]} is marked for removal and cannot be {purpose}")

    def attributes(self, **more: str) -> dict[str, str]:
        """Return the container's attributes for an event."""
        return {**self.record.config.labels, "image": self.record.image, "name": self.record.name, **more}

    def next_end(self) -> asyncio.Future[int]:
        """Return a future of the exit code of the next end; cancel it to stop waiting."""
        return _register_waiter(self._ends)

    def removal(self) -> asyncio.Future[int]:
        """Return a future of the last exit code, set by the removal; cancel it to stop waiting."""
        return _register_waiter(self._removals)

    @contextlib.contextmanager
    def interruptible_start(self) -> Iterator[asyncio.Future[None]]:
        """Give a future that `interrupt_start` resolves during the block."""
        interruption = self._start_interruption = asyncio.get_running_loop().create_future()
        try:
            yield interruption
        finally:
            self._start_interruption = None

    def interrupt_start(self) -> bool:
        """Interrupt a start in progress, which may hang; return whether there is one."""
        if self._start_interruption is None:
            return False
        if not self._start_interruption.done():
            self._start_interruption.set_result(None)
        return True

    def notify_exit(self) -> None:
        """Resolve the futures of the end."""
        for future in list(self._ends):
            if not future.done():
                future.set_result(self.record.exit_code)

    def notify_removed(self) -> None:
        """Resolve the futures of the removal."""
        self.notify_exit()
        for future in list(self._removals):
            if not future.done():
                future.set_result(self.record.exit_code)
        self.release_waiting_clients()

    def release_waiting_clients(self) -> None:
        """Release the clients that attached for a start that failed."""
        for attachment in self.attachments:
            attachment.give_up()

    def release_attachments(self) -> None:
        """Have attachments read all remaining output: the main process has ended."""
        for attachment in self.attachments:
            attachment.release()


class ContainerLookup(Protocol):
    """Read access to the engine's containers."""

    def all(self) -> list[EngineContainer]:
        """Return every container, newest first."""
        ...

    def get(self, key: str) -> EngineContainer | None:
        """Return a container by its id."""

    def find(self, name: str) -> EngineContainer:
        """Return a container by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is none.
            Ambiguous: Several ids begin so.
        """
        ...


def _register_waiter(waiting: set[asyncio.Future[int]]) -> asyncio.Future[int]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting.add(future)
    future.add_done_callback(waiting.discard)
    return future
