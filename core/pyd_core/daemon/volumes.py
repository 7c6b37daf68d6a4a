"""Volumes: directories that outlive containers, and what is mounted on them by options of the local driver."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from pyd_core.daemon.events import EventBus
from pyd_core.daemon.store import Shelf, Store
from pyd_core.errors import Conflict, EngineError, InvalidInput, KernelError, NotFound
from pyd_core.linux.mounting import MS_BIND, MS_REC, MS_REMOUNT, mount, split_options, unmount
from pyd_core.linux.syncing import sync
from pyd_core.model.base import format_time
from pyd_core.model.volume import Volume

ANONYMOUS = "com.docker.volume.anonymous"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class VolumeRecord(msgspec.Struct, kw_only=True):
    """What is remembered of a volume."""

    name: str
    created_ns: int
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    phase: str = "ready"
    """`ready` or `removing`."""


class Volumes:
    """All volumes of the engine."""

    def __init__(self, root: Path, store: Store, events: EventBus) -> None:
        self._root = root
        self._store = store
        self._shelf = Shelf(store, "volume", VolumeRecord)
        self._events = events
        self._locks: dict[str, asyncio.Lock] = {}
        self.users: Callable[[str], list[str]] = lambda name: []  # noqa: ARG005 - set by the engine
        root.mkdir(parents=True, exist_ok=True)
        for record in self._shelf:
            if record.phase == "removing":
                self._erase(record)
        known = set(self._shelf.keys())
        for found in root.iterdir():
            if found.name not in known:
                self._adopt(found)

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
            raise InvalidInput(f"create {name}: invalid option: {min(unknown)!r}")
        if options and "device" not in options:
            raise InvalidInput(f"create {name}: missing device in volume options")
        self._store.check_room()
        self.path(name).mkdir(parents=True, mode=0o755)
        sync(self._root / name)
        sync(self._root)
        record = VolumeRecord(name=name, created_ns=time.time_ns(), labels=labels, options=dict(options or {}))
        with self._store.together(durable=True):  # a directory without its row would be swept, and what is in it
            self._shelf.put(name, record)
        self._events.emit("volume", "create", name, {"driver": "local"})
        return record

    @asynccontextmanager
    async def prepared(self, name: str) -> AsyncIterator[Path]:
        """Mounts what the options say, where a container is about to use it; nobody else's start does so meanwhile.

        A server that doesn't answer keeps whoever mounts from it waiting, and nobody else.

        Yields:
            The directory that containers see.

        Raises:
            EngineError: It can't be mounted.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            options, place = self.find(name).options, self.path(name)
            if options:
                try:
                    await asyncio.to_thread(_mount, options, str(place))
                except (KernelError, OSError) as error:
                    raise EngineError(
                        f"error while mounting volume '{name}': failed to mount local volume: mount "
                        f"{options['device'][:200]} ({options.get('type', '')}, {options.get('o', '')[:200]}): {error}",
                        hint="its options are those of mount(8), and what it names must be there",
                    ) from error
            yield place

    def release(self, name: str) -> None:
        """Unmounts what the options had mounted, once no running container uses it."""
        record = self._shelf.get(name)
        if record is not None and record.options:
            unmount(self.path(name))

    def remove(self, name: str, *, force: bool = False) -> None:
        """Removes a volume and what is in it.

        Raises:
            NotFound: There is none (no complaint with `force`).
            Conflict: A container uses it.
        """
        if force and name not in self._shelf:
            return
        record = self.find(name)
        users = self.users(name)
        if users:
            raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
        record.phase = "removing"
        with self._store.together(durable=True):
            self._shelf.put(name, record)
        self._erase(record)
        self._events.emit("volume", "destroy", name, {"driver": "local"})

    def _erase(self, record: VolumeRecord) -> None:
        unmount(self.path(record.name))
        shutil.rmtree(self._root / record.name, ignore_errors=True)
        self._shelf.delete(record.name)
        self._locks.pop(record.name, None)

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


def _mount(options: Mapping[str, str], place: str) -> None:
    if os.path.ismount(place):
        return
    kind, device = options.get("type", ""), options["device"]
    flags, words = split_options(options.get("o", "").split(","))
    flags |= MS_BIND if kind in {"none", "bind"} else 0
    mount(device, place, "" if flags & MS_BIND else kind, flags, ",".join(_resolved(kind, words)))
    if flags & MS_BIND and flags & ~(MS_BIND | MS_REC):  # a bind takes the other bits only afterwards
        mount(device, place, "", MS_REMOUNT | flags)


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
