"""Steps: commands that run in a container of their own (`ExecOp`), whose changes become layers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.solver import exec_plan, step_process
from pyd_core.daemon.build.solver.cache_mounts import CacheMounts
from pyd_core.daemon.build.solver.exec_plan import StepMount
from pyd_core.daemon.build.solver.mount_stubs import MountStubs
from pyd_core.daemon.build.solver.records import SnapshotRecord
from pyd_core.daemon.build.solver.reporter import VertexReporter
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore, Workspace
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import apparmor, capabilities, spec, users
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.networks import resolv_conf
from pyd_core.daemon.networks.step_namespaces import StepNamespaces
from pyd_core.daemon.runtime.oci import Runtime, unified, write_plan
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import EngineError, InvalidInput, KernelError, NotFound
from pyd_core.linux.mount import MS_BIND, mount, mount_overlay, unmount
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.tree import remove_tree
from pyd_core.model.host_config import HostConfig

MAX_SECRET_BYTES = 500 << 10
"""As in BuildKit's clients."""


class CommandFailed(EngineError):
    """A step's command failed.

    Attributes:
        exit_code: Its exit code.
        changes: The snapshots of the mounts with an output, by the mount's number, as they were at the end.
    """

    reference = "build-step-failed"

    def __init__(self, message: str, *, exit_code: int, changes: dict[int, Result]) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.changes = changes


@dataclass
class _StepState:
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


class ExecRunner:
    """Runs steps.

    Args:
        config: The engine's.
        snapshots: The layers.
        caches: The cache mounts.
        namespaces: Network namespaces.
        runtime: The OCI runtime.
        remapping: Which ids containers have on the host; None where they are the same.
    """

    def __init__(
        self,
        *,
        config: DaemonConfig,
        snapshots: SnapshotStore,
        caches: CacheMounts,
        namespaces: StepNamespaces,
        runtime: Runtime,
        remapping: Remapping | None,
    ) -> None:
        self._config = config
        self._snapshots = snapshots
        self._caches = caches
        self._namespaces = namespaces
        self._runtime = runtime
        self._remapping = remapping
        self.bundles = config.run / "build"
        self.bundles.mkdir(parents=True, exist_ok=True, mode=0o711)

    def recover(self) -> None:
        """Remove the bundles of steps that an engine which was killed has left."""
        for left in self.bundles.iterdir():
            unmount(left / "secrets")
            remove_tree(left, ignore_errors=True)

    async def run(
        self,
        op: ops_pb2.ExecOp,
        inputs: Sequence[Result],
        *,
        session: BuildSession | None,
        reporter: VertexReporter,
        entitlements: frozenset[str],
    ) -> list[Result]:
        """Run a step and return its outputs; the new layers are recorded.

        Raises:
            CommandFailed: The command failed.
            InvalidInput: The operation is malformed.
        """
        exec_plan.check(op, entitlements)
        key = f"build{os.urandom(16).hex()}"
        async with AsyncExitStack() as stack:
            directory = stack.enter_context(self._snapshots.workspace())
            bundle = stack.enter_context(self._bundle(key))
            state = _StepState(directory, bundle)
            for number, item in enumerate(op.mounts):
                await self._prepare(stack, state, number, item, inputs, session)
            code = await self._execute(stack, state, op, key, session, reporter)
            changes = await self._keep(state)
        outputs = {
            item.output: changes.get(number) or self._unchanged(item, inputs)
            for number, item in enumerate(op.mounts)
            if item.output >= 0
        }
        accepted = op.meta.validExitCodes or [0]
        if code not in accepted:
            shown = " ".join(op.meta.args)
            raise CommandFailed(
                f'process "{shown[:2000]}" did not complete successfully: exit code: {code}',
                exit_code=code,
                changes=changes,
            )
        return [outputs.get(index, Result()) for index in range(max(outputs, default=-1) + 1)]

    def _unchanged(self, item: ops_pb2.Mount, inputs: Sequence[Result]) -> Result:
        return inputs[item.input] if 0 <= item.input < len(inputs) else Result()

    # Mounts

    async def _prepare(  # noqa: PLR0917 - each is another part of the step
        self,
        stack: AsyncExitStack,
        state: _StepState,
        number: int,
        item: ops_pb2.Mount,
        inputs: Sequence[Result],
        session: BuildSession | None,
    ) -> None:
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
                path = cache.upper
                if source.layers:
                    path = state.view()
                    path.mkdir()
                    lower = [self._snapshots.directory(layer) for layer in reversed(source.layers)]
                    mount_overlay(list(dict.fromkeys(lower)), cache.upper, cache.work, path)
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

    def _prepare_root(self, state: _StepState, number: int, item: ops_pb2.Mount, source: Result) -> None:
        work = Workspace(state.directory, self._layers_of(source))
        self._snapshots.mount_changes(work, container=True)
        state.root = work
        if item.output >= 0:
            state.changed[number] = work

    def _prepare_bind(self, state: _StepState, number: int, item: ops_pb2.Mount, source: Result, target: str) -> None:
        if item.readonly:
            path = source.mount(self._snapshots, state.view())
        else:
            inner = state.directory / f"mount-{number}"
            inner.mkdir(mode=0o710)
            if self._remapping is not None:
                self._remapping.let_pass(inner)
            work = Workspace(inner, self._layers_of(source))
            view = state.view()
            view.mkdir()
            self._snapshots.mount_changes(work, container=True)
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

    def _bind(self, state: _StepState, path: Path, item: ops_pb2.Mount, target: str) -> None:
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
        self, state: _StepState, item: ops_pb2.Mount, target: str, session: BuildSession | None
    ) -> None:
        option = item.secretOpt
        data = await self._secret(session, option.ID, is_optional=option.optional)
        if data is None:
            return
        file = self._secret_directory(state) / str(len(state.targets))
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
            os.fchown(fd, *self._host_ids(option.uid, option.gid))
            os.fchmod(fd, option.mode & 0o777)
        finally:
            os.close(fd)
        state.mounts.append(StepMount(target=target, source=str(file), read_only=True, plain=True))
        state.targets.append((target, False))

    async def _secret(self, session: BuildSession | None, secret_id: str, *, is_optional: bool) -> bytes | None:
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

    def _host_ids(self, uid: int, gid: int) -> tuple[int, int]:
        if self._remapping is None:
            return uid, gid
        ids = self._remapping.ids.outside(uid, gid)
        if ids is None:
            raise InvalidInput(f"the user {uid} or group {gid} has no number in containers")
        return ids

    def _secret_directory(self, state: _StepState) -> Path:
        """Return a directory in memory, so that secrets never reach a disk."""
        directory = state.bundle / "secrets"
        if not directory.exists():
            directory.mkdir(mode=0o700)
            mount("secrets", str(directory), "tmpfs", 0xE, "mode=711,size=16m")
        return directory

    async def _prepare_agent(
        self,
        stack: AsyncExitStack,
        state: _StepState,
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
        os.chown(socket, *self._host_ids(option.uid, option.gid))
        socket.chmod(option.mode & 0o777)
        state.mounts.append(StepMount(target=target, source=str(socket), plain=True))
        state.targets.append((target, False))

    # Run

    async def _execute(  # noqa: PLR0917 - each is another part of the step
        self,
        stack: AsyncExitStack,
        state: _StepState,
        op: ops_pb2.ExecOp,
        key: str,
        session: BuildSession | None,
        reporter: VertexReporter,
    ) -> int:
        if state.root is None:
            raise InvalidInput("a step has no root file system", reference="bad-definition")
        secrets: dict[str, str] = {}
        for item in op.secretenv:
            data = await self._secret(session, item.ID, is_optional=item.optional)
            if data is not None:
                secrets[item.name] = data.decode(errors="surrogateescape")
        record = exec_plan.record_of(op, key, state.mounts)
        network: dict[str, str] = {}
        if op.network == ops_pb2.UNSET:
            path = await stack.enter_async_context(
                self._namespaces.use(alone=op.security == ops_pb2.INSECURE or self._remapping is not None)
            )
            network = {"network": str(path)}
        files = self._write_files(state.bundle, op)
        root = state.root.merged
        profile = apparmor.profile(record.host, "", is_supported=apparmor.supported())
        await apparmor.ensure(profile)
        facts = spec.SpecInputs(
            rootfs=str(root),
            identity=users.look_up(root, op.meta.user or "0"),
            cgroup=f"/{op.meta.cgroupParent.strip('/') or self._config.cgroup}/{key}",
            unified=unified(),
            arch=architecture(),
            kernel=os.uname().release,
            namespaces=network,
            files=files,
            possible=capabilities.possible(),
            apparmor=profile,
            ids=self._remapping.ids if self._remapping is not None else None,
        )
        write_plan(state.bundle / "config.json", exec_plan.plan(op, record, facts, secrets))
        with RootDirectory(root) as opened:
            stubs = MountStubs(opened)
            directories = [(path, True) for path in ("/proc", "/dev", "/sys")]
            stubs.make([*directories, *((path, False) for path in files), *state.targets])
            try:
                owner = self._remapping.ids.root if self._remapping is not None else None
                return await step_process.run(self._runtime, key, state.bundle, reporter.log, owner=owner)
            finally:
                stubs.remove()

    def _write_files(self, bundle: Path, op: ops_pb2.ExecOp) -> dict[str, str]:
        on_host = op.network == ops_pb2.HOST
        texts = {
            "hosts": exec_plan.hosts_text(op),
            "resolv.conf": resolv_conf.plan(
                HostConfig(), resolv_conf.read_host_file(on_host_network=on_host), "", on_host_network=on_host
            ),
        }
        for name, text in texts.items():
            (bundle / name).write_text(text)
            (bundle / name).chmod(0o644)
        return {f"/etc/{name}": str(bundle / name) for name in texts}

    async def _keep(self, state: _StepState) -> dict[int, Result]:
        """Turn changes into layers."""
        for work in state.changed.values():
            unmount(work.merged)
        for view in state.directory.glob("view-*"):
            while unmount(view):
                pass
        changes: dict[int, Result] = {}
        for number, work in state.changed.items():
            layer = self._snapshots.commit(work.upper)
            record: SnapshotRecord = await asyncio.to_thread(self._snapshots.measure, layer)
            self._snapshots.add(record)
            changes[number] = Result((*work.lower, layer))
        return changes

    def _bundle(self, key: str) -> _Bundle:
        return _Bundle(self.bundles / key, self._remapping)


class _Bundle:
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
