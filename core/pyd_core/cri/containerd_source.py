"""Containers as containerd has them: those of ctr, nerdctl and other clients, in one namespace."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.cri_source import CriSource
from pyd_core.cri.node_container import KIND, NERDCTL_NAME, NodeContainer
from pyd_core.cri.oci_spec import parse_spec
from pyd_core.cri.proto import containers_grpc, containers_pb2, tasks_grpc, tasks_pb2
from pyd_core.cri.proto.containers_pb2 import Container
from pyd_core.cri.proto.task_pb2 import CREATED, PAUSED, PAUSING, RUNNING, STOPPED, Process
from pyd_core.errors import NotFound, PydError

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

MAX_CONTAINERS = 20_000

_STATES = {CREATED: "created", RUNNING: "running", PAUSED: "paused", PAUSING: "running", STOPPED: "exited"}


class ContainerdSource:
    """The containers of a namespace.

    Args:
        connection: The connection to containerd.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection
        self._pods = CriSource(connection)

    @cached_property
    def _containers(self) -> containers_grpc.ContainersStub:
        return containers_grpc.ContainersStub(self._connection.channel)

    @cached_property
    def _tasks(self) -> tasks_grpc.TasksStub:
        return tasks_grpc.TasksStub(self._connection.channel)

    async def list(self) -> list[NodeContainer]:
        """Return the containers without pods' sandboxes."""
        metadata = self._connection.metadata()
        with self._connection.calls():
            listed = await self._containers.List(
                containers_pb2.ListContainersRequest(), timeout=CALL_TIMEOUT_S, metadata=metadata
            )
            running = await self._tasks.List(tasks_pb2.ListTasksRequest(), timeout=CALL_TIMEOUT_S, metadata=metadata)
        tasks = {task.container_id or task.id: task for task in running.tasks}
        records = [
            _record(container, tasks.get(container.id))
            for container in listed.containers[:MAX_CONTAINERS]
            if container.labels.get(KIND) != "sandbox"
        ]
        if not any(_needs_state(record) for record in records):
            return records
        try:
            known = {container.id: container for container in await self._pods.list()}
        except PydError:
            return records  # containerd without its CRI
        return [_with_state(record, known.get(record.id)) for record in records]

    async def get(self, identity: str) -> NodeContainer:
        """Return a container by its id.

        Raises:
            NotFound: There is none, or it is a pod's sandbox.
        """
        metadata = self._connection.metadata()
        with self._connection.calls():
            response = await self._containers.Get(
                containers_pb2.GetContainerRequest(id=identity), timeout=CALL_TIMEOUT_S, metadata=metadata
            )
        if response.container.labels.get(KIND) == "sandbox":
            raise NotFound("a pod's sandbox is no container of its own")
        try:
            with self._connection.calls():
                task = await self._tasks.Get(
                    tasks_pb2.GetRequest(container_id=identity), timeout=CALL_TIMEOUT_S, metadata=metadata
                )
        except NotFound:
            record = _record(response.container, None)
        else:
            record = _record(response.container, task.process)
        if record.labels.get(KIND) == "container":
            with suppress(PydError):  # containerd without its CRI
                return _with_state(record, await self._pods.get(identity))
        return record


def _record(container: Container, task: Process | None) -> NodeContainer:
    labels = dict(container.labels)
    status = _STATES.get(task.status, "created") if task is not None else "created"
    has_ended = task is not None and status == "exited"
    return NodeContainer(
        id=container.id,
        labels=labels,
        image=container.image,
        image_id=container.image,
        created_ns=_nanoseconds(container.created_at),
        status=status,
        pid=task.pid if task is not None and status in {"running", "paused"} else 0,
        exit_code=task.exit_status if task is not None and has_ended else 0,
        finished_ns=_nanoseconds(task.exited_at) if task is not None and has_ended else 0,
        log_path=_log_path(container.id, labels),
        snapshotter=container.snapshotter,
        snapshot=container.snapshot_key,
        spec=parse_spec(container.spec.value),
    )


def _needs_state(record: NodeContainer) -> bool:
    """Return whether only the CRI knows if a container has ended: it removes the task with the process."""
    return record.labels.get(KIND) == "container" and record.status == "created"


def _with_state(record: NodeContainer, pod: NodeContainer | None) -> NodeContainer:
    """Return a pod's container with its log, and with its state if it has no task."""
    if pod is None:
        return record
    record = msgspec.structs.replace(record, log_path=pod.log_path, attempt=pod.attempt)
    if not _needs_state(record):
        return record
    return msgspec.structs.replace(
        record,
        status=pod.status,
        exit_code=pod.exit_code,
        started_ns=pod.started_ns,
        finished_ns=pod.finished_ns,
        reason=pod.reason,
    )


def _log_path(identity: str, labels: dict[str, str]) -> str:
    """Return the file that nerdctl's `json-file` driver writes; empty for containers of other clients."""
    directory = labels.get("nerdctl/state-dir", "")
    return f"{directory}/{identity}-json.log" if NERDCTL_NAME in labels and directory.startswith("/") else ""


def _nanoseconds(time: Timestamp) -> int:
    return time.seconds * 10**9 + time.nanos
