"""Workers of a builder: what they are, and which platforms they build for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.failure import call_error
from pyd_core.buildkit.proto import control_grpc, control_pb2

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel


async def worker_labels(channel: DuplexChannel) -> dict[str, str]:
    """Return the labels of the builder's first worker."""
    try:
        response = await control_grpc.ControlStub(channel).ListWorkers(control_pb2.ListWorkersRequest())
    except GRPCError as error:
        raise call_error(error) from error
    return dict(response.record[0].Labels) if response.record else {}
