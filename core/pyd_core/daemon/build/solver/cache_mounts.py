"""Cache mounts: directories that steps keep between builds (`RUN --mount=type=cache`)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver.records import LayerStack
from pyd_core.linux.ext4 import spread
from pyd_core.linux.tree import remove_tree


class CacheDirectory:
    """A directory of a cache.

    Attributes:
        users: Steps that have it mounted.
    """

    def __init__(self, directory: Path, key: str) -> None:
        self.directory = directory
        self.key = key
        self.users = 0
        self.lock = asyncio.Lock()

    @property
    def upper(self) -> Path:
        """The directory of its files, or of its changes to the file system that it began with."""
        return self.directory / "upper"

    @property
    def work(self) -> Path:
        """The work directory of its overlay."""
        return self.directory / "work"

    @property
    def used_ns(self) -> int:
        """The time of the last use, in nanoseconds since 1970."""
        try:
            return self.directory.stat().st_mtime_ns
        except FileNotFoundError:
            return time.time_ns()

    @property
    def name(self) -> str:
        """The cache's id, as the build file has it."""
        try:
            return (self.directory / "name").read_text(errors="replace")
        except OSError:
            return ""


class CacheMounts:
    """All cache directories, in a directory of the engine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)  # set-user-ID files would run as root
        spread(root)
        self._directories: list[CacheDirectory] = []
        for path in sorted(root.iterdir()):
            key, dash, _ = path.name.partition("-")
            if dash and (path / "upper").is_dir():
                self._directories.append(CacheDirectory(path, key))
            else:
                remove_tree(path, ignore_errors=True)

    def __iter__(self) -> Iterator[CacheDirectory]:
        return iter(list(self._directories))

    @asynccontextmanager
    async def use(self, cache_id: str, lower: LayerStack, sharing: int) -> AsyncIterator[CacheDirectory]:
        """Provide a cache's directory.

        Args:
            cache_id: Names the cache.
            lower: The file system that it begins with.
            sharing: Whether steps at the same time share it, get one each, or wait for each other.
        """
        key = hashlib.sha256("\0".join((cache_id, *lower)).encode()).hexdigest()[:32]
        known = [directory for directory in self._directories if directory.key == key]
        if sharing == ops_pb2.PRIVATE:
            known = [directory for directory in known if not directory.users]
        cache = known[0] if known else self._make(key, cache_id)
        cache.users += 1
        try:
            if sharing == ops_pb2.LOCKED:
                async with cache.lock:
                    yield cache
            else:
                yield cache
        finally:
            cache.users -= 1
            os.utime(cache.directory)

    def _make(self, key: str, cache_id: str) -> CacheDirectory:
        cache = CacheDirectory(self._root / f"{key}-{os.urandom(4).hex()}", key)
        cache.directory.mkdir(mode=0o711)
        (cache.directory / "name").write_text(cache_id[:4096], errors="replace")
        cache.work.mkdir()
        cache.upper.mkdir()
        cache.upper.chmod(0o755)
        self._directories.append(cache)
        return cache

    def discard(self, cache: CacheDirectory) -> Path | None:
        """Forget a directory and return it for removal; None where a step uses it."""
        if cache.users or cache not in self._directories:
            return None
        self._directories.remove(cache)
        gone = self._root / f"gone{os.urandom(8).hex()}"
        cache.directory.rename(gone)
        return gone
