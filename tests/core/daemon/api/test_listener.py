"""Accepting connections where there may be few, and programs where there may be none more."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from pathlib import Path

import h11

from pyd_core.daemon.api.http import HandlerResult
from pyd_core.daemon.api.listener import ApiListener, Clients
from pyd_core.daemon.api.server import HttpConnection, RequestHead
from pyd_core.daemon.runtime import subprocesses
from pyd_core.tasks import TaskOwner


async def test_clients_that_have_sent_half_a_request_give_way_to_one_that_sends_a_complete_one(tmp_path: Path):
    path = str(tmp_path / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(16)
    clients = Clients(3)

    async def answer(head: RequestHead, chunks: object) -> HandlerResult:
        return HandlerResult(body=b"well")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await HttpConnection(reader, writer, answer, clients).serve()

    listener = ApiListener(listening, connected, clients)
    listener.resume()
    halves = []
    try:
        for _ in range(10):
            halves.append(await asyncio.open_unix_connection(path))
            halves[-1][1].write(b"GET / HTT")
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
        received = await asyncio.wait_for(reader.read(), 30)
        assert received.startswith(b"HTTP/1.1 200 ")
        assert received.endswith(b"well")
        assert len(clients) <= 3
        writer.close()
    finally:
        for _, half in halves:
            half.close()
        await listener.aclose()
    assert len(clients) == 0


async def test_a_program_is_started_once_there_are_descriptors_again():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    loop = asyncio.get_running_loop()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 8, hard))  # noqa: PTH208
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        async with TaskOwner() as owner:
            starting = owner.start(subprocesses.spawn(["/bin/true"]))
            await asyncio.sleep(0)
            assert not starting.done()
            for descriptor in held[-6:]:
                loop.call_soon(os.close, descriptor)
            del held[-6:]
            process = await asyncio.wait_for(starting, 120)
            assert process.wait() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in held:
            os.close(fd)


async def test_an_end_is_waited_for_also_while_there_is_no_descriptor():
    process = await subprocesses.spawn(["/bin/sleep", "1000"])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        async with TaskOwner() as owner:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            waiting = owner.start(subprocesses.ended(process.pid))
            await asyncio.sleep(0)
            assert not waiting.done()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            process.kill()
            await asyncio.wait_for(waiting, 120)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        process.kill()
        process.wait()


def test_an_invalid_request_target_is_refused():
    request = h11.Request(method="GET", target="//[/x", headers=[("Host", "e")])
    try:
        RequestHead(request)
    except ValueError:
        return
    raise AssertionError("it was read")
