"""Containers as the Container Runtime Interface has them: those of a node's pods."""

from __future__ import annotations

from functools import cached_property

import msgspec

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.node_container import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, NodeContainer
from pyd_core.cri.oci_spec import MAX_SPEC_BYTES, OciSpec
from pyd_core.cri.proto import cri_grpc, cri_pb2
from pyd_core.cri.proto.cri_pb2 import PodSandboxMetadata
from pyd_core.errors import NotFound, ProtocolError

MAX_CONTAINERS = 20_000

_STATES = {
    cri_pb2.CONTAINER_CREATED: "created",
    cri_pb2.CONTAINER_RUNNING: "running",
    cri_pb2.CONTAINER_EXITED: "exited",
}


class _VerboseInfo(msgspec.Struct, frozen=True, rename="camel"):
    """The JSON text that containerd and CRI-O add to a verbose status."""

    sandbox_id: str = msgspec.field(name="sandboxID", default="")
    pid: int = 0
    snapshotter: str = ""
    snapshot_key: str = ""
    runtime_spec: OciSpec | None = None


class CriSource:
    """The containers of pods.

    Args:
        connection: The connection to the runtime.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection
        self._ended: dict[str, NodeContainer] = {}
        """Containers that have exited, by id: a list has no exit codes."""

    @cached_property
    def _runtime(self) -> cri_grpc.RuntimeServiceStub:
        return cri_grpc.RuntimeServiceStub(self._connection.channel)

    async def list(self) -> list[NodeContainer]:
        """Return the containers; of those that the kubelet has created again, the earlier ones too."""
        with self._connection.calls():
            listed = await self._runtime.ListContainers(cri_pb2.ListContainersRequest(), timeout=CALL_TIMEOUT_S)
        pods = await self._pods()
        containers = [
            NodeContainer(
                id=container.id,
                labels=_labels(dict(container.labels), container.metadata.name, pods.get(container.pod_sandbox_id)),
                image=container.image.image,
                image_id=container.image_ref,
                created_ns=container.created_at,
                status=_STATES.get(container.state, "created"),
                attempt=container.metadata.attempt,
            )
            for container in listed.containers[:MAX_CONTAINERS]
        ]
        ended = [container.id for container in containers if container.status == "exited"]
        self._ended = {identity: known for identity in ended if (known := await self._find_ended(identity)) is not None}
        return [self._ended.get(container.id, container) for container in containers]

    async def _find_ended(self, identity: str) -> NodeContainer | None:
        if (known := self._ended.get(identity)) is not None:
            return known
        try:
            return await self.get(identity)
        except NotFound:
            return None  # removed meanwhile

    async def get(self, identity: str) -> NodeContainer:
        """Return a container by its id.

        Raises:
            NotFound: There is none.
        """
        with self._connection.calls():
            response = await self._runtime.ContainerStatus(
                cri_pb2.ContainerStatusRequest(container_id=identity, verbose=True), timeout=CALL_TIMEOUT_S
            )
        status = response.status
        if status.id != identity:
            raise ProtocolError("the runtime answers for another container")
        info = _verbose(response.info.get("info", ""))
        state = _STATES.get(status.state, "created")
        labels = dict(status.labels)
        pod = None if POD_NAME in labels else (await self._pods()).get(info.sandbox_id)
        return NodeContainer(
            id=status.id,
            labels=_labels(labels, status.metadata.name, pod),
            image=status.image.image,
            image_id=status.image_ref,
            created_ns=status.created_at,
            status=state,
            pid=info.pid if state == "running" else 0,
            exit_code=status.exit_code,
            started_ns=status.started_at,
            finished_ns=status.finished_at,
            reason=status.reason if state == "exited" and status.reason != "Completed" else "",
            attempt=status.metadata.attempt,
            log_path=status.log_path,
            snapshotter=info.snapshotter,
            snapshot=info.snapshot_key,
            spec=info.runtime_spec or OciSpec(),
        )

    async def _pods(self) -> dict[str, PodSandboxMetadata]:
        with self._connection.calls():
            pods = await self._runtime.ListPodSandbox(cri_pb2.ListPodSandboxRequest(), timeout=CALL_TIMEOUT_S)
        return {pod.id: pod.metadata for pod in pods.items[:MAX_CONTAINERS]}


def _verbose(text: str) -> _VerboseInfo:
    if len(text) > MAX_SPEC_BYTES:
        return _VerboseInfo()
    try:
        return msgspec.json.decode(text, type=_VerboseInfo, strict=False)
    except msgspec.DecodeError:
        return _VerboseInfo()


def _labels(labels: dict[str, str], name: str, pod: PodSandboxMetadata | None) -> dict[str, str]:
    """Return the labels with those that name the pod, which a kubelet sets and other clients may not."""
    named = {CONTAINER_NAME: name}
    if pod is not None:
        named |= {POD_NAME: pod.name, POD_NAMESPACE: pod.namespace}
    return {**{key: value for key, value in named.items() if value}, **labels}
