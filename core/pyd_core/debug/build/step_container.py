"""The container of a step: its file system and mounts as they were, and the toolbox in addition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.client.failure import FailedStep
from pyd_core.buildkit.client.gateway import Gateway
from pyd_core.buildkit.llb.definition import marshal, op_digest
from pyd_core.buildkit.llb.search import find_vertex
from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.debug.build.step_shell import BASE_DIRECTORY, RC_FILE, STEP_DIRECTORY, rc_text
from pyd_core.debug.helper import TOOLBOX
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import ProtocolError, Unsupported

if TYPE_CHECKING:
    from pyd_core.buildkit.client.process import GatewayProcess

ROOT = "/"
MAX_MOUNTS = 500


class StepSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A step with the results that its mounts show, by their ids in the builder; empty ids are empty file systems."""

    op: bytes
    mount_ids: tuple[str, ...]
    base_id: str = ""
    """The root file system before the step."""
    replay: bool = False
    """Whether the step has to run again to bring about the state in which it failed."""


def failed_state(step: FailedStep, *, before: bool = False) -> StepSnapshot:
    """Return the state in which a RUN step failed.

    Args:
        step: The step; its ids are those of its mounts.
        before: Return the state before it ran instead.

    Raises:
        Unsupported: It isn't one.
    """
    op = ops_pb2.Op.FromString(step.op)
    if op.WhichOneof("op") != "exec":
        raise Unsupported("only RUN steps have a container to enter", reference="no-step-container")
    root = next((number for number, mount in enumerate(op.exec.mounts) if mount.dest == ROOT), -1)
    base_id = step.input_ids[root] if 0 <= root < len(step.input_ids) else ""
    return StepSnapshot(op=step.op, mount_ids=step.input_ids if before else step.mount_ids, base_id=base_id)


def without_secrets(state: StepSnapshot) -> StepSnapshot:
    """Return a state whose step does without its secrets and agents, which only the client of the build has."""
    op = ops_pb2.Op.FromString(state.op)
    for mount in op.exec.mounts:
        if mount.mountType == ops_pb2.SECRET:
            mount.secretOpt.optional = True
        elif mount.mountType == ops_pb2.SSH:
            mount.SSHOpt.optional = True
    for secret in op.exec.secretenv:
        secret.optional = True
    return msgspec.structs.replace(state, op=op.SerializeToString())


async def state_before(gateway: Gateway, definition: ops_pb2.Definition, serialized: bytes) -> StepSnapshot:
    """Build what a step needs, and return the state before it runs.

    Args:
        gateway: The build.
        definition: The build's definition.
        serialized: The step's operation.

    Raises:
        BuildFailed: An earlier step failed.
    """
    vertex = find_vertex(definition, op_digest(serialized))
    results = [await gateway.solve(marshal(parent)) for parent in vertex.inputs]
    op = ops_pb2.Op.FromString(serialized)
    ids = [results[mount.input] if 0 <= mount.input < len(results) else "" for mount in op.exec.mounts]
    base = _root_input(op)
    return StepSnapshot(op=serialized, mount_ids=tuple(ids), base_id=results[base] if 0 <= base < len(results) else "")


def _root_input(op: ops_pb2.Op) -> int:
    return next((mount.input for mount in op.exec.mounts if mount.dest == ROOT), -1)


class DebugStepContainer:
    """A container with the state of a step.

    Args:
        gateway: The build.
        container_id: The container.
        op: The step.
    """

    def __init__(self, gateway: Gateway, container_id: str, op: ops_pb2.Op) -> None:
        self._gateway = gateway
        self._id = container_id
        self.op = op

    def process(self, meta: ops_pb2.Meta, *, tty: bool) -> GatewayProcess:
        """Return a process to start in it, with the step's secrets in its environment."""
        return self._gateway.process(
            self._id, meta, tty=tty, Security=self.op.exec.security, secretenv=list(self.op.exec.secretenv)
        )


@asynccontextmanager
async def open_step(gateway: Gateway, state: StepSnapshot, toolbox_image: str) -> AsyncIterator[DebugStepContainer]:
    """Create a step's container.

    Args:
        gateway: The build.
        state: What its mounts show.
        toolbox_image: The name of the toolbox's image on the engine.

    Raises:
        PydError: The builder can't.
    """
    op = ops_pb2.Op.FromString(state.op)
    if len(op.exec.mounts) > MAX_MOUNTS or len(state.mount_ids) < len(op.exec.mounts):
        raise ProtocolError("the builder describes the failed step incompletely")
    toolbox = await gateway.solve(marshal(_image(toolbox_image, op.platform)))
    start_up = await gateway.solve(marshal(_file(RC_FILE, rc_text(op, replay=state.replay).encode())))
    mounts = _mounts(op, state.mount_ids)
    mounts.append(_extra(PREFIX, toolbox, selector=TOOLBOX))
    mounts.append(_extra(STEP_DIRECTORY, start_up))
    if state.base_id:
        mounts.append(_extra(BASE_DIRECTORY, state.base_id))
    async with gateway.container(mounts, op) as container_id:
        yield DebugStepContainer(gateway, container_id, op)


def _mounts(op: ops_pb2.Op, ids: Sequence[str]) -> list[ops_pb2.Mount]:
    mounts: list[ops_pb2.Mount] = []
    for mount, result_id in zip(op.exec.mounts, ids, strict=False):
        copy = ops_pb2.Mount()
        copy.CopyFrom(mount)
        copy.resultID = result_id
        mounts.append(copy)
    return mounts


def _extra(destination: str, result_id: str, selector: str = "") -> ops_pb2.Mount:
    return ops_pb2.Mount(dest=destination, resultID=result_id, selector=selector, readonly=True, output=-1)


def _image(name: str, platform: ops_pb2.Platform) -> VertexOutput:
    source = ops_pb2.SourceOp(identifier=f"docker-image://{name}", attrs={"image.resolvemode": "local"})
    return GraphVertex(ops_pb2.Op(source=source, platform=platform)).output


def _file(name: str, data: bytes) -> VertexOutput:
    make = ops_pb2.FileActionMkFile(path=f"/{name}", mode=0o444, data=data, timestamp=-1)
    action = ops_pb2.FileAction(input=-1, secondaryInput=-1, output=0, mkfile=make)
    return GraphVertex(ops_pb2.Op(file=ops_pb2.FileOp(actions=[action]))).output
