"""Contexts that the engine has unpacked itself, as the source `local://`: no client has to send them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pyd_core.daemon.build.interfaces import SyncedTree
from pyd_core.daemon.build.session.content_store import ContentStore
from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.local_trees import LocalTree
from pyd_core.errors import NotFound, Unsupported


class UnpackedTree(LocalTree):
    """A directory with a context's files, which isn't kept."""

    def __init__(self, directory: Path) -> None:  # pyright: ignore[reportMissingSuperCall] - there is no index to read
        self.directory = directory
        self.key = ""
        self.holders = 0
        self.synced = None
        self.digests = {}

    @property
    def path(self) -> Path:
        """The directory."""
        return self.directory


class UnpackedContext:
    """Stands for a client's session; see `BuildSession`.

    Args:
        directory: Has the files. Nothing else may change them.
    """

    def __init__(self, directory: Path) -> None:
        self.id = ""
        self.shared_key = ""
        self.tree = UnpackedTree(directory)
        self._lock = asyncio.Lock()
        self._identity = ""

    async def identity(self) -> str:
        """Return the digest of all files, which belong to root afterwards, as a client would have sent them."""
        async with self._lock:
            if not self._identity:
                self._identity = await asyncio.to_thread(self._read)
        return self._identity

    def _read(self) -> str:
        hasher = hashlib.sha256()
        top = os.open(self.tree.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in tree_walk.walk(top, None, None):
                if isinstance(step, tree_walk.Left):
                    continue
                if isinstance(step, tree_walk.Entered):
                    _give_to_root(step.path or ".", top, step.status)
                    content = ""
                else:
                    _give_to_root(step.name, step.parent, step.status)
                    content = self._content(step)
                hasher.update(f"{step.path}\0{step.status.st_mode}\0{content}\0".encode(errors="surrogateescape"))
        finally:
            os.close(top)
        return f"sha256:{hasher.hexdigest()}"

    def _content(self, step: tree_walk.Visited) -> str:
        if stat.S_ISLNK(step.status.st_mode):
            return os.readlink(step.name, dir_fd=step.parent)
        if not stat.S_ISREG(step.status.st_mode):
            return ""
        fd = os.open(step.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=step.parent)
        with os.fdopen(fd, "rb", buffering=0) as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        self.tree.digests[step.path] = digest
        return digest

    # What a client would serve

    async def sync_directory(
        self,
        *,
        name: str,
        destination_fd: int,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        follow_paths: Sequence[str] = (),
        previous: SyncedTree | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncedTree:
        """Refuse: the context is here already."""
        del destination_fd, include, exclude, follow_paths, previous, progress
        raise NotFound(f"this build has no directory {name[:80]}")

    def upload(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Refuse: there is no client that serves uploads."""
        raise NotFound(f"this build has no upload {path[:80]}")

    async def secret(self, secret_id: str) -> bytes:
        """Refuse: there is no client that has secrets."""
        raise NotFound(f"this build has no secret {secret_id[:80]}")

    async def credentials(self, host: str) -> tuple[str, str] | None:
        """Return none."""
        del host
        return None

    def ssh_agent(self, agent_id: str) -> AbstractAsyncContextManager[Path]:
        """Refuse: there is no client that forwards an agent."""
        raise NotFound(f"this build has no ssh agent {agent_id[:80]}")

    def content_store(self, store_id: str) -> ContentStore:
        """Refuse: there is no client that serves a store."""
        raise Unsupported(f"this build has no content store {store_id[:80]}")

    async def send_file(self, chunks: AsyncIterator[bytes], metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Refuse: there is no client that takes files."""
        del chunks, metadata, exporter
        raise Unsupported("this build has no session that takes files")

    async def send_directory(self, root_fd: int, metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Refuse: there is no client that takes files."""
        del root_fd, metadata, exporter
        raise Unsupported("this build has no session that takes files")


def _give_to_root(name: str, directory: int, status: os.stat_result) -> None:
    if status.st_uid or status.st_gid:
        os.chown(name, 0, 0, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=directory)  # chown(2) has cleared these bits
