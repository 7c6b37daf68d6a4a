"""The mounts of a step, prepared where the runtime takes them from: file systems, caches, secrets, agents."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.solver.cache_mounts import CacheMounts
from pyd_core.daemon.build.solver.exec_plan import StepMount
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore, Workspace
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.mount import MS_BIND, mount, mount_overlay, unmount
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.tree import remove_tree

MAX_SECRET_BYTES = 500 << 10
"""As in BuildKit's clients."""


@dataclass
class StepMounts:
    """The prepared mounts of a step."""

    directory: Path
    bundle: Path
    root: Workspace | None = None
    mounts: list[StepMount] = field(default_factory=list)
    targets: list[tuple[str, bool]] = field(default_factory=list)
    """Mount points, each with whether it is a directory."""
    changed: dict[int, Workspace] = field(default_factory=dict)
    """Workspaces whose changes are kept, by the mount's number."""
    count: int = 0

    def view(self) -> Path:
        """Return the path of another view."""
        self.count += 1
        return self.directory / f"view-{self.count}"


class MountPreparer:
    """Prepares the mounts of steps.

    Args:
        snapshots: The layers.
        caches: The cache mounts.
        remapping: Which ids containers have on the host; None where they are the same.
    """

    def __init__(self, snapshots: SnapshotStore, caches: CacheMounts, remapping: Remapping | None) -> None:
        self._snapshots = snapshots
        self._caches = caches
        self._remapping = remapping

    async def prepare(  # noqa: PLR0917 - each is another part of the step
        self,
        stack: AsyncExitStack,
        state: StepMounts,
        number: int,
        item: ops_pb2.Mount,
        inputs: Sequence[Result],
        session: BuildSession | None,
    ) -> None:
        """Prepare a mount; it is taken down with the stack and the workspace.

        Raises:
            InvalidInput: It is malformed, or its source is missing.
            NotFound: The client has no such secret or agent.
        """
        if item.input >= len(inputs):
            raise InvalidInput("a mount names an input that isn't there", reference="bad-definition")
        source = inputs[item.input] if item.input >= 0 else Result()
        target = posixpath.normpath("/" + item.dest.lstrip("/"))
        match item.mountType:
            case ops_pb2.BIND if target == "/":
                self._prepare_root(state, number, item, source)
            case ops_pb2.BIND:
                self._prepare_bind(state, number, item, source, target)
            case ops_pb2.CACHE:
                options = item.cacheOpt
                cache = await stack.enter_async_context(
                    self._caches.use(options.ID or target, source.layers, options.sharing)
                )
                path = self._snapshots.container_path(cache.upper)
                if source.layers:
                    path = state.view()
                    path.mkdir()
                    lower = [self._snapshots.directory(layer) for layer in reversed(source.layers)]
                    lowers = list(dict.fromkeys(lower))
                    if self._remapping is not None:
                        self._remapping.mount(lowers, cache.upper, cache.work, path)
                    else:
                        mount_overlay(lowers, cache.upper, cache.work, path)
                self._bind(state, path, item, target)
            case ops_pb2.TMPFS:
                state.mounts.append(StepMount(target=target, size=item.TmpfsOpt.size))
                state.targets.append((target, True))
            case ops_pb2.SECRET:
                await self._prepare_secret(state, item, target, session)
            case ops_pb2.SSH:
                await self._prepare_agent(stack, state, item, target, session)
            case kind:
                raise InvalidInput(f"unknown type of a mount: {kind}", reference="bad-definition")

    def _prepare_root(self, state: StepMounts, number: int, item: ops_pb2.Mount, source: Result) -> None:
        work = Workspace(state.directory, self._layers_of(source))
        self._snapshots.mount_changes(work, container=True)
        state.root = work
        if item.output >= 0:
            state.changed[number] = work

    def _prepare_bind(self, state: StepMounts, number: int, item: ops_pb2.Mount, source: Result, target: str) -> None:
        if item.readonly:
            path = source.mount(self._snapshots, state.view())
        else:
            inner = state.directory / f"mount-{number}"
            inner.mkdir(mode=0o710)
            if self._remapping is not None:
                self._remapping.let_pass(inner)
            if source.local is not None and item.output >= 0:
                raise InvalidInput("the changes of a client's directory can't be kept")
            work = Workspace(inner, source.layers)
            view = state.view()
            view.mkdir()
            below = source.local.path if source.local is not None else None
            self._snapshots.mount_changes(work, container=True, below=below)
            mount(str(work.merged), str(view), "", MS_BIND)
            unmount(work.merged)
            path = view
            if item.output >= 0:
                state.changed[number] = work
        self._bind(state, path, item, target)

    def _layers_of(self, source: Result) -> tuple[str, ...]:
        if source.local is not None:
            raise InvalidInput("a client's directory can only be mounted read-only")
        return source.layers

    def _bind(self, state: StepMounts, path: Path, item: ops_pb2.Mount, target: str) -> None:
        """Mount a part of a file system where the runtime takes it from; no link in it leads out."""
        is_directory = True
        selector = item.selector.strip("/")
        if selector:
            with RootDirectory(path) as root:
                try:
                    fd = root.open(selector, os.O_PATH)
                except KernelError as error:
                    raise InvalidInput(
                        f'failed to mount "{selector[:300]}": {os.strerror(error.errno).lower()}',
                        reference="mount-source-missing",
                    ) from error
            try:
                is_directory = os.path.isdir(f"/proc/self/fd/{fd}")  # noqa: PTH112 - a descriptor
                view = state.view()
                view.mkdir() if is_directory else view.touch()
                mount(f"/proc/self/fd/{fd}", str(view), "", MS_BIND)
            finally:
                os.close(fd)
            path = view
        state.mounts.append(StepMount(target=target, source=str(path), read_only=item.readonly))
        state.targets.append((target, is_directory))

    async def _prepare_secret(
        self, state: StepMounts, item: ops_pb2.Mount, target: str, session: BuildSession | None
    ) -> None:
        option = item.secretOpt
        data = await self.secret(session, option.ID, is_optional=option.optional)
        if data is None:
            return
        file = self._secret_directory(state) / str(len(state.targets))
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
            os.fchown(fd, *self.host_ids(option.uid, option.gid))
            os.fchmod(fd, option.mode & 0o777)
        finally:
            os.close(fd)
        state.mounts.append(StepMount(target=target, source=str(file), read_only=True, plain=True))
        state.targets.append((target, False))

    async def secret(self, session: BuildSession | None, secret_id: str, *, is_optional: bool) -> bytes | None:
        """Return a secret of the client; None for an optional one that it doesn't have.

        Raises:
            NotFound: The client has no such secret.
            InvalidInput: It is too large.
        """
        data: bytes | None = None
        if session is not None:
            with contextlib.suppress(NotFound):
                data = await session.secret(secret_id)
        if data is None:
            if is_optional:
                return None
            raise NotFound(f"secret {secret_id[:80]}: not found", hint=f"give --secret id={secret_id[:80]}")
        if len(data) > MAX_SECRET_BYTES:
            raise InvalidInput(f"secret {secret_id[:80]} is larger than {MAX_SECRET_BYTES} bytes")
        return data

    def host_ids(self, uid: int, gid: int) -> tuple[int, int]:
        """Return the host's ids for a user and group of containers.

        Raises:
            InvalidInput: Containers have no such ids.
        """
        if self._remapping is None:
            return uid, gid
        ids = self._remapping.ids.outside(uid, gid)
        if ids is None:
            raise InvalidInput(f"the user {uid} or group {gid} has no number in containers")
        return ids

    def _secret_directory(self, state: StepMounts) -> Path:
        """Return a directory in memory, so that secrets never reach a disk."""
        directory = state.bundle / "secrets"
        if not directory.exists():
            directory.mkdir(mode=0o700)
            mount("secrets", str(directory), "tmpfs", 0xE, "mode=711,size=16m")
        return directory

    async def _prepare_agent(
        self,
        stack: AsyncExitStack,
        state: StepMounts,
        item: ops_pb2.Mount,
        target: str,
        session: BuildSession | None,
    ) -> None:
        option = item.SSHOpt
        agent = option.ID or "default"
        socket: Path | None = None
        if session is not None:
            with contextlib.suppress(NotFound):
                socket = await stack.enter_async_context(session.ssh_agent(agent))
        if socket is None:
            if option.optional:
                return
            raise NotFound(f"ssh agent {agent[:80]}: not found", hint="give --ssh default")
        os.chown(socket, *self.host_ids(option.uid, option.gid))
        socket.chmod(option.mode & 0o777)
        state.mounts.append(StepMount(target=target, source=str(socket), plain=True))
        state.targets.append((target, False))


class Bundle:
    """The bundle of one step, removed with its secrets."""

    def __init__(self, path: Path, remapping: Remapping | None) -> None:
        self._path = path
        self._remapping = remapping

    def __enter__(self) -> Path:
        self._path.mkdir(mode=0o710)
        if self._remapping is not None:
            self._remapping.let_pass(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        unmount(self._path / "secrets")
        remove_tree(self._path, ignore_errors=True)
