"""Volumes: directories that outlive containers, and what is mounted on them by options of the local driver.

Whoever uses a volume claims it first: a container from its start to its end, and whoever looks into one that doesn't
run. The first claim mounts what the options say, the end of the last one unmounts it, one at a time for each volume.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import msgspec

from pyd_core.daemon import rmtree
from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import Conflict, EngineError, InvalidInput, KernelError, NotFound
from pyd_core.linux.fsync import sync
from pyd_core.linux.mount import MS_BIND, MS_REC, MS_REMOUNT, is_mounted, mount, split_options, unmount
from pyd_core.linux.tree import remove_tree
from pyd_core.model.base import format_time
from pyd_core.model.volume import Volume

ANONYMOUS = "com.docker.volume.anonymous"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
STAGING = "_staging"
"""A directory beside the one that containers see, which is filled before it takes that one's place."""
_GONE = ".gone-"
"""Begins the name of what was a volume's directory; no volume's can begin so."""


class VolumeRecord(msgspec.Struct, kw_only=True):
    """What is remembered of a volume."""

    name: str
    created_ns: int
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    phase: str = "ready"
    """`ready` or `removing`."""


class VolumeStore:
    """All volumes of the engine."""

    def __init__(self, root: Path, store: Store, events: EventBus, users: Callable[[str], list[str]]) -> None:
        self._root = root
        self._store = store
        self._shelf = StoreTable(store, "volume", VolumeRecord)
        self._events = events
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._holders: dict[str, set[object]] = {}
        self._users = users
        root.mkdir(parents=True, exist_ok=True)
        for record in self._shelf:
            if record.phase == "removing":
                self._set_aside(record)
        known = set(self._shelf.keys())
        for found in root.iterdir():
            if found.name.startswith(_GONE):
                remove_tree(found, ignore_errors=True)
            elif found.name not in known:
                self._adopt(found)
            else:
                remove_tree(found / STAGING, ignore_errors=True)

    def _adopt(self, found: Path) -> None:
        """Takes away what was made when the engine died; with something in it, it is a volume whose row was lost."""
        try:
            with contextlib.suppress(FileNotFoundError):
                (found / "_data").rmdir()
            found.rmdir()
        except OSError:
            if _NAME.fullmatch(found.name):
                created = found.stat().st_mtime_ns
                self._shelf.put(found.name, VolumeRecord(name=found.name, created_ns=created))

    def path(self, name: str) -> Path:
        """The directory that containers see."""
        return self._root / name / "_data"

    def all(self) -> list[VolumeRecord]:
        """Returns every volume."""
        return sorted(self._shelf, key=lambda record: record.name)

    def find(self, name: str) -> VolumeRecord:
        """Returns a volume.

        Raises:
            NotFound: There is none.
        """
        record = self._shelf.get(name)
        if record is None:
            raise NotFound(f"get {name}: no such volume")
        return record

    def __contains__(self, name: str) -> bool:
        return name in self._shelf

    def create(
        self,
        name: str = "",
        *,
        driver: str = "local",
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> VolumeRecord:
        """Makes a volume; one that exists is returned as it is.

        Raises:
            InvalidInput: The name or an option makes no sense.
            NotFound: There is no such driver.
        """
        if driver not in {"", "local"}:
            raise NotFound(f'error looking up volume plugin {driver}: plugin "{driver}" not found')
        labels = dict(labels or {})
        if not name:
            name = os.urandom(32).hex()
            labels[ANONYMOUS] = ""
        known = self._shelf.get(name)
        if known is not None:
            if options and dict(options) != known.options:
                raise Conflict(f"volume {name} exists with other options")
            return known
        if len(name) == 1:
            raise InvalidInput(
                f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
            )
        if not _NAME.fullmatch(name) or len(name) > 255:
            raise InvalidInput(
                f'create {name[:80]}: "{name[:80]}" includes invalid characters for a local volume name, only '
                '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
            )
        unknown = set(options or {}) - {"type", "o", "device", "size"}
        if unknown:
            raise InvalidInput(f'create {name}: invalid option: "{min(unknown)}"')
        missing = {"device", "type"} - set(options) if options else ()
        if missing:
            raise InvalidInput(f'create {name}: missing required option: "{min(missing)}"')
        self._store.ensure_disk_space()
        self.path(name).mkdir(parents=True, mode=0o755)
        sync(self._root / name)
        sync(self._root)
        record = VolumeRecord(name=name, created_ns=time.time_ns(), labels=labels, options=dict(options or {}))
        with self._store.transaction(durable=True):  # a directory without its row would be swept, and what is in it
            self._shelf.put(name, record)
        self._events.emit("volume", "create", name, {"driver": "local"})
        return record

    def _lock(self, name: str) -> asyncio.Lock:
        """Held while it is mounted, filled, unmounted or removed; there for as long as anybody holds or awaits it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock

    @asynccontextmanager
    async def claimed(self, name: str, holder: object) -> AsyncIterator[Path]:
        """Claims a volume, with what its options say mounted; in the block nobody else claims it or gives it back.

        A server that doesn't answer keeps whoever mounts from it waiting, and nobody else.

        Args:
            name: The volume.
            holder: Whose it is until `release`, which has to follow whatever happens here.

        Yields:
            The directory that containers see.

        Raises:
            NotFound: There is none.
            EngineError: It can't be mounted.
        """
        async with self._lock(name):
            options, place = self.find(name).options, self.path(name)
            self._holders.setdefault(name, set()).add(holder)
            if options:
                try:
                    await on_thread(lambda _: _mount(options, place))
                except (KernelError, OSError) as error:
                    raise EngineError(
                        f"error while mounting volume '{name}': failed to mount local volume: mount "
                        f"{options['device'][:200]} ({options.get('type', '')}, {options.get('o', '')[:200]}): {error}",
                        hint="its options are those of mount(8), and what it names must be there",
                    ) from error
            yield place

    def keep(self, name: str, holder: str) -> None:
        """Claims a volume for a container that has had it since before this engine."""
        self._holders.setdefault(name, set()).add(holder)

    def is_sole_holder(self, name: str, holder: object) -> bool:
        """Whether nobody else has claimed a volume."""
        return self._holders.get(name, set()) <= {holder}

    async def release(self, name: str, holder: object) -> bool:
        """Gives a claim back, if there; with the last one, what the options had mounted is unmounted.

        Returns:
            Whether there was the claim.
        """
        holders = self._holders.get(name, set())
        held = holder in holders
        holders.discard(holder)
        if holders:
            return held
        async with self._lock(name):  # whoever claims it just now is waited for, and counts
            if self._holders.get(name):
                return held
            self._holders.pop(name, None)
            record = self._shelf.get(name)
            if record is not None and record.options:
                await on_thread(lambda _: _unmount(self.path(name)))
        return held

    async def settle(self) -> None:
        """Unmounts what nobody has claimed: what an engine had mounted for a look as it was killed."""
        for record in self.all():
            await self.release(record.name, None)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Removes a volume and what is in it.

        Raises:
            NotFound: There is none (no complaint with `force`).
            Conflict: A container uses it.
        """
        async with self._lock(name):
            if force and name not in self._shelf:
                return
            record = self.find(name)
            users = self._users(name)
            if users:
                raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
            going = self._forget(record)
        await rmtree.remove([going])
        self._events.emit("volume", "destroy", name, {"driver": "local"})

    def undo(self, record: VolumeRecord) -> None:
        """Takes back a volume that was made just now and that nobody knows of."""
        remove_tree(self._forget(record), ignore_errors=True)
        self._events.emit("volume", "destroy", record.name, {"driver": "local"})

    def _forget(self, record: VolumeRecord) -> Path:
        record.phase = "removing"
        with self._store.transaction(durable=True):
            self._shelf.put(record.name, record)
        return self._set_aside(record)

    def _set_aside(self, record: VolumeRecord) -> Path:
        """Frees its name in one step, and returns what is left to be removed; the next engine removes it else."""
        _unmount(self.path(record.name))
        going = self._root / f"{_GONE}{os.urandom(8).hex()}"
        with contextlib.suppress(FileNotFoundError):
            (self._root / record.name).rename(going)
        self._shelf.delete(record.name)
        return going

    def view(self, record: VolumeRecord) -> Volume:
        """How the API shows it."""
        return Volume(
            name=record.name,
            driver="local",
            mountpoint=str(self.path(record.name)),
            created_at=format_time(record.created_ns)[:19] + "Z",
            labels=record.labels,
            scope="local",
            options=record.options,
        )


def _mount(options: Mapping[str, str], place: Path) -> None:
    if is_mounted(place):
        return
    kind, device = options.get("type", ""), options["device"]
    flags, words = split_options(options.get("o", "").split(","))
    flags |= MS_BIND if kind in {"none", "bind"} else 0
    mount(device, str(place), "" if flags & MS_BIND else kind, flags, ",".join(_resolved(kind, words)))
    if flags & MS_BIND and flags & ~(MS_BIND | MS_REC):  # a bind takes the other bits only afterwards
        mount(device, str(place), "", MS_REMOUNT | flags)


def _unmount(place: Path) -> None:
    while unmount(place):  # more than one where an earlier version left them
        pass


def _resolved(kind: str, words: list[str]) -> list[str]:
    """Has a server's address in place of its name, as the kernel wants it of those who mount from one.

    Raises:
        OSError: Nobody knows the name.
    """
    if not kind.startswith(("nfs", "cifs")):
        return words
    found: list[str] = []
    for word in words:
        name, _, host = word.partition("=")
        known = name == "addr" and host
        found.append(f"addr={socket.getaddrinfo(host, None)[0][4][0]}" if known else word)
    return found
