"""Steps: commands that run in a container of their own (`ExecOp`), whose changes become layers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.interfaces import BuildSession, SolveOptions, StepSettings
from pyd_core.daemon.build.solver import exec_plan, step_process
from pyd_core.daemon.build.solver.cache_mounts import CacheMounts
from pyd_core.daemon.build.solver.exec_mounts import Bundle, MountPreparer, StepMounts
from pyd_core.daemon.build.solver.mount_stubs import MountStubs
from pyd_core.daemon.build.solver.records import SnapshotRecord
from pyd_core.daemon.build.solver.reporter import VertexReporter
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import apparmor, capabilities, mounts, oci_spec, users
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.networks import resolv_conf
from pyd_core.daemon.networks.step_namespaces import StepNamespaces
from pyd_core.daemon.runtime.oci import Runtime, unified, write_plan
from pyd_core.daemon.runtime.planned_spec import PlannedProcess
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.linux.mount import unmount
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.tree import remove_tree
from pyd_core.model.host_config import HostConfig


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


@dataclass(frozen=True)
class PreparedStep:
    """A step whose container can start.

    Attributes:
        key: The container's id.
        state: Its mounts and its bundle, with the specification.
    """

    key: str
    state: StepMounts


class StepRunner:
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
        self._mounts = MountPreparer(snapshots, caches, remapping)
        self._namespaces = namespaces
        self.runtime = runtime
        self._remapping = remapping
        self.bundles = config.run / "build"
        self.bundles.mkdir(parents=True, exist_ok=True, mode=0o711)

    @property
    def owner(self) -> tuple[int, int] | None:
        """The host's ids of containers' root; None where they are root's."""
        return self._remapping.ids.root if self._remapping is not None else None

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
        options: SolveOptions,
    ) -> list[Result]:
        """Run a step and return its outputs; the new layers are recorded.

        Raises:
            CommandFailed: The command failed.
            InvalidInput: The operation is malformed.
        """
        exec_plan.check(op, options.entitlements)
        async with AsyncExitStack() as stack:
            async with self.prepared(stack, op, inputs, session, settings=options.settings) as step:
                code = await step_process.run(self.runtime, step.key, step.state.bundle, reporter.log, owner=self.owner)
            changes = await self._keep(step.state)
        outputs = {
            item.output: changes.get(number) or _unchanged(item, inputs)
            for number, item in enumerate(op.mounts)
            if item.output >= 0 and item.mountType == ops_pb2.BIND  # others have no output, whatever the field says
        }
        if code not in (op.meta.validExitCodes or [0]):
            shown = " ".join(op.meta.args)
            raise CommandFailed(
                f'process "{shown[:2000]}" did not complete successfully: exit code: {code}',
                exit_code=code,
                changes=changes,
            )
        return [outputs.get(index, Result()) for index in range(max(outputs, default=-1) + 1)]

    @asynccontextmanager
    async def prepared(
        self,
        stack: AsyncExitStack,
        op: ops_pb2.ExecOp,
        inputs: Sequence[Result],
        session: BuildSession | None,
        *,
        secrets: Mapping[str, bytes] | None = None,
        tty: bool = False,
        settings: StepSettings | None = None,
    ) -> AsyncIterator[PreparedStep]:
        """Prepare a container; its mounts last as long as the stack, its mount points as long as the block.

        Args:
            stack: Takes down the mounts.
            op: The operation.
            inputs: The file systems that its mounts name.
            session: Has secrets and agents.
            secrets: Variables with secrets, besides those that the operation names.
            tty: Whether its process has a terminal.
            settings: Those of the build; None for the defaults.

        Raises:
            InvalidInput: The operation is malformed, or a mount's source is missing.
            NotFound: The client has no such secret or agent.
        """
        settings = settings or StepSettings()
        key = f"build{settings.key or os.urandom(16).hex()}"
        directory = stack.enter_context(self._snapshots.workspace())
        state = StepMounts(directory, stack.enter_context(Bundle(self.bundles / key, self._remapping)))
        for number, item in enumerate(op.mounts):
            await self._mounts.prepare(stack, state, number, item, inputs, session)
        if state.root is None:
            raise InvalidInput("a step has no root file system", reference="bad-definition")
        root = state.root.merged
        files = self._write_files(state, op)
        variables = {name: value.decode(errors="surrogateescape") for name, value in (secrets or {}).items()}
        for secret in op.secretenv:
            data = await self._mounts.secret(session, secret.ID, is_optional=secret.optional)
            if data is not None:
                variables[secret.name] = data.decode(errors="surrogateescape")
        await self._write_plan(stack, state, op, key, variables, tty=tty, settings=settings)
        with RootDirectory(root) as opened:
            stubs = MountStubs(opened)
            stubs.make_kernel_trees(keep=settings.keeps_kernel_trees)
            stubs.make([*((path, False) for path in files), *state.targets])
            try:
                yield PreparedStep(key, state)
            finally:
                stubs.remove()

    async def _write_plan(
        self,
        stack: AsyncExitStack,
        state: StepMounts,
        op: ops_pb2.ExecOp,
        key: str,
        secrets: Mapping[str, str],
        *,
        tty: bool,
        settings: StepSettings,
    ) -> None:
        assert state.root is not None  # noqa: S101 - checked by the caller
        record = exec_plan.record_of(op, key, state.mounts, settings.limits)
        network: dict[str, str] = {}
        if op.network == ops_pb2.UNSET and settings.namespace:
            network = {"network": settings.namespace}
        elif op.network == ops_pb2.UNSET:
            ids = self._remapping.ids if self._remapping is not None else None
            use = self._namespaces.use(settings.network, alone=op.security == ops_pb2.INSECURE, ids=ids)
            network = await stack.enter_async_context(use)
        root = state.root.merged
        profile = apparmor.profile(record.host, "", is_supported=apparmor.supported())
        await apparmor.ensure(profile)
        facts = oci_spec.SpecInputs(
            rootfs=str(root),
            identity=users.look_up(root, op.meta.user or "0"),
            cgroup=f"/{op.meta.cgroupParent.strip('/') or self._config.cgroup}/{key}",
            unified=unified(),
            arch=architecture(),
            kernel=os.uname().release,
            namespaces=network,
            files=_files_of(state),
            required_options=await asyncio.to_thread(mounts.required_options, record.mounts),
            possible=capabilities.possible(),
            apparmor=profile,
            ids=self._remapping.ids if self._remapping is not None else None,
        )
        planned = exec_plan.plan(op, record, facts, secrets)
        planned["process"]["terminal"] = tty
        write_plan(state.bundle / "config.json", planned)

    def process_plan(self, step: PreparedStep, op: ops_pb2.ExecOp, *, tty: bool) -> PlannedProcess:
        """Return the plan of another process in a running container.

        Raises:
            InvalidInput: Its user doesn't exist.
        """
        assert step.state.root is not None  # noqa: S101 - a prepared step has one
        planned: PlannedProcess = json.loads((step.state.bundle / "config.json").read_bytes())["process"]
        identity = users.look_up(step.state.root.merged, op.meta.user or "0")
        held = planned["capabilities"]["bounding"]
        return {
            **planned,
            "terminal": tty,
            "user": {"uid": identity.uid, "gid": identity.gid, "additionalGids": list(identity.groups)},
            "args": list(op.meta.args),
            "cwd": op.meta.cwd or "/",
            "env": exec_plan.environment(op, identity.home, {}),
            "capabilities": oci_spec.capability_sets(held, identity.uid),
        }

    def _write_files(self, state: StepMounts, op: ops_pb2.ExecOp) -> list[str]:
        on_host = op.network == ops_pb2.HOST
        texts = {
            "hosts": exec_plan.hosts_text(op),
            "resolv.conf": resolv_conf.plan(
                HostConfig(), resolv_conf.read_host_file(on_host_network=on_host), "", on_host_network=on_host
            ),
        }
        for name, text in texts.items():
            (state.bundle / name).write_text(text)
            (state.bundle / name).chmod(0o644)
        return list(_files_of(state))

    async def _keep(self, state: StepMounts) -> dict[int, Result]:
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
            self._snapshots.add_pending(record)
            changes[number] = Result((*work.lower, layer))
        return changes


def _files_of(state: StepMounts) -> dict[str, str]:
    return {f"/etc/{name}": str(state.bundle / name) for name in ("hosts", "resolv.conf")}


def _unchanged(item: ops_pb2.Mount, inputs: Sequence[Result]) -> Result:
    return inputs[item.input] if 0 <= item.input < len(inputs) else Result()
