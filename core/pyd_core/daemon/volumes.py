"""Volumes: directories that outlive containers, and mounts on them by options of the local driver.

Each use of a volume needs a claim: a container's from its start to its end, and that of an operation on the files of
a stopped one. The first claim mounts the volume by its options, the last release unmounts it, one at a time.
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
"""A directory next to the volume's, which is filled and then renamed over it."""
_GONE = ".gone-"
"""The prefix of removed volumes' directories; no volume's name can have it."""


class VolumeRecord(msgspec.Struct, kw_only=True):
    """The persistent record of a volume."""

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
        for path in root.iterdir():
            if path.name.startswith(_GONE):
                remove_tree(path, ignore_errors=True)
            elif path.name not in known:
                self._adopt(path)
            else:
                remove_tree(path / STAGING, ignore_errors=True)

    def _adopt(self, directory: Path) -> None:
        """Remove an empty directory without a record; one with files is a volume whose record was lost."""
        try:
            with contextlib.suppress(FileNotFoundError):
                (directory / "_data").rmdir()
            directory.rmdir()
        except OSError:
            if _NAME.fullmatch(directory.name):
                created = directory.stat().st_mtime_ns
                self._shelf.put(directory.name, VolumeRecord(name=directory.name, created_ns=created))

    def path(self, name: str) -> Path:
        """Return the directory that containers see."""
        return self._root / name / "_data"

    def all(self) -> list[VolumeRecord]:
        """Return every volume."""
        return sorted(self._shelf, key=lambda record: record.name)

    def find(self, name: str) -> VolumeRecord:
        """Return a volume.

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
        """Create a volume; an existing one is returned as it is.

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
        with self._store.transaction(durable=True):  # a directory without its row would be swept
            self._shelf.put(name, record)
        self._events.emit("volume", "create", name, {"driver": "local"})
        return record

    def _lock(self, name: str) -> asyncio.Lock:
        """Return a volume's lock, held while it is mounted, filled, unmounted or removed; it exists while in use."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock

    @asynccontextmanager
    async def claimed(self, name: str, holder: object) -> AsyncIterator[Path]:
        """Claim a volume, mounted by its options; other claims and releases wait until the block ends.

        A server that doesn't respond blocks only the operations on its volumes.

        Args:
            name: The volume.
            holder: The claim's holder until `release`, which must follow, also after an error here.

        Yields:
            The directory that containers see.

        Raises:
            NotFound: There is none.
            EngineError: It can't be mounted.
        """
        async with self._lock(name):
            options, path = self.find(name).options, self.path(name)
            self._holders.setdefault(name, set()).add(holder)
            if options:
                try:
                    await on_thread(lambda _: _mount(options, path))
                except (KernelError, OSError) as error:
                    raise EngineError(
                        f"error while mounting volume '{name}': failed to mount local volume: mount "
                        f"{options['device'][:200]} ({options.get('type', '')}, {options.get('o', '')[:200]}): {error}",
                        hint="its options are those of mount(8), and what it names must be there",
                    ) from error
            yield path

    def keep(self, name: str, holder: str) -> None:
        """Claim a volume for a container that has had it since before this engine."""
        self._holders.setdefault(name, set()).add(holder)

    def is_sole_holder(self, name: str, holder: object) -> bool:
        """Return whether a volume has no other claims."""
        return self._holders.get(name, set()) <= {holder}

    async def release(self, name: str, holder: object) -> bool:
        """Release a claim, if there is one; the last release unmounts the volume.

        Returns:
            Whether there was such a claim.
        """
        holders = self._holders.get(name, set())
        held = holder in holders
        holders.discard(holder)
        if holders:
            return held
        async with self._lock(name):  # a claim that is being made counts
            if self._holders.get(name):
                return held
            self._holders.pop(name, None)
            record = self._shelf.get(name)
            if record is not None and record.options:
                await on_thread(lambda _: _unmount(self.path(name)))
        return held

    async def unmount_unclaimed(self) -> None:
        """Unmount volumes without claims, which a killed engine had mounted for an operation."""
        for record in self.all():
            await self.release(record.name, None)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove a volume with its files.

        Raises:
            NotFound: There is none (no error with `force`).
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

    def discard_new(self, record: VolumeRecord) -> None:
        """Remove a volume that was just created and isn't referred to yet."""
        remove_tree(self._forget(record), ignore_errors=True)
        self._events.emit("volume", "destroy", record.name, {"driver": "local"})

    def _forget(self, record: VolumeRecord) -> Path:
        record.phase = "removing"
        with self._store.transaction(durable=True):
            self._shelf.put(record.name, record)
        return self._set_aside(record)

    def _set_aside(self, record: VolumeRecord) -> Path:
        """Free a volume's name atomically, and return the directory to remove; the next engine removes it otherwise."""
        _unmount(self.path(record.name))
        going = self._root / f"{_GONE}{os.urandom(8).hex()}"
        with contextlib.suppress(FileNotFoundError):
            (self._root / record.name).rename(going)
        self._shelf.delete(record.name)
        return going

    def view(self, record: VolumeRecord) -> Volume:
        """Return a volume as the API shows it."""
        return Volume(
            name=record.name,
            driver="local",
            mountpoint=str(self.path(record.name)),
            created_at=format_time(record.created_ns)[:19] + "Z",
            labels=record.labels,
            scope="local",
            options=record.options,
        )


def _mount(options: Mapping[str, str], directory: Path) -> None:
    if is_mounted(directory):
        return
    kind, device = options.get("type", ""), options["device"]
    flags, words = split_options(options.get("o", "").split(","))
    flags |= MS_BIND if kind in {"none", "bind"} else 0
    mount(device, str(directory), "" if flags & MS_BIND else kind, flags, ",".join(_resolved(kind, words)))
    if flags & MS_BIND and flags & ~(MS_BIND | MS_REC):  # a bind accepts the other flags only afterwards
        mount(device, str(directory), "", MS_REMOUNT | flags)


def _unmount(directory: Path) -> None:
    while unmount(directory):  # more than one where an earlier version left them
        pass


def _resolved(kind: str, words: list[str]) -> list[str]:
    """Replace a server's name in the options by its address, which the kernel needs for a mount.

    Raises:
        OSError: The name can't be resolved.
    """
    if not kind.startswith(("nfs", "cifs")):
        return words
    resolved: list[str] = []
    for word in words:
        name, _, host = word.partition("=")
        known = name == "addr" and host
        resolved.append(f"addr={socket.getaddrinfo(host, None)[0][4][0]}" if known else word)
    return resolved
