"""Volumes: directories that outlive containers, and what is mounted on them by options of the local driver."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from pyd_core.daemon.events import EventBus
from pyd_core.daemon.store import Shelf, Store
from pyd_core.errors import Conflict, InvalidInput, NotFound
from pyd_core.linux.mounting import MS_BIND, MS_REC, mount, unmount
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

    def prepare(self, name: str) -> None:
        """Mounts what the options say, where a container is about to use it."""
        record = self.find(name)
        if not record.options or os.path.ismount(self.path(name)):
            return
        kind = record.options.get("type", "")
        words = [word for word in record.options.get("o", "").split(",") if word]
        flags = 0
        if "bind" in words or "rbind" in words or kind in {"none", "bind"}:
            flags, kind = MS_BIND | (MS_REC if "rbind" in words else 0), ""
        words = [word for word in words if word not in {"bind", "rbind"}]
        mount(record.options["device"], str(self.path(name)), kind, flags, ",".join(words))

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
