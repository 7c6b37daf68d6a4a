from __future__ import annotations

import asyncio

from pyd_core.buildkit.proto.control_pb2 import StatusResponse, Vertex, VertexWarning
from pyd_core.daemon.build.progress import MAX_LOG_BYTES, MAX_MESSAGE_BYTES, ProgressLog
from pyd_core.tasks import TaskOwner


async def collected(progress: ProgressLog) -> StatusResponse:
    merged = StatusResponse()
    async for message in progress.follow():
        merged.MergeFrom(message)
    return merged


async def test_early_and_late_readers_get_the_same_from_the_start():
    progress = ProgressLog()
    async with TaskOwner() as owner:
        early = owner.start(collected(progress))
        await asyncio.sleep(0)
        vertex = Vertex(digest="sha256:a", name="one")
        progress.vertex(vertex)
        vertex.name = "changed by its owner"
        progress.log("sha256:a", 1, b"output")
        progress.warning(VertexWarning(vertex="sha256:a", short=b"careful"))
        progress.end()
        first, second = await early, await collected(progress)
    assert first == second
    assert [vertex.name for vertex in first.vertexes] == ["one"]
    assert (first.logs[0].msg, first.warnings[0].short, progress.warnings) == (b"output", b"careful", 1)


async def test_output_beyond_the_limit_is_dropped_with_a_note_for_its_vertex_only():
    progress = ProgressLog()
    for _ in range(5):
        progress.log("sha256:a", 1, bytes(MAX_LOG_BYTES // 2))
    progress.log("sha256:b", 1, b"other")
    progress.end()
    messages, _ = progress.responses()
    assert all(message.ByteSize() <= 2 * MAX_MESSAGE_BYTES + 1000 for message in messages)
    logs = (await collected(progress)).logs
    size = sum(len(log.msg) for log in logs if log.vertex == "sha256:a")
    assert MAX_LOG_BYTES < size < MAX_LOG_BYTES + 100
    assert b"output clipped" in logs[-2].msg
    assert logs[-1].msg == b"other"
