"""Clients joined to a container's streams, with sockets in place of conmon and the network."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from pyd_core.daemon.containers.attach import Attachment
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.tasks import TaskOwner


def open_now() -> set[int]:
    numbers = os.listdir("/proc/self/fd")  # noqa: PTH208
    return {int(number) for number in numbers if os.path.exists(f"/proc/self/fd/{number}")}  # noqa: PTH110


async def test_a_descriptor_that_reuses_the_number_of_a_closed_attach_socket_is_still_woken(tmp_path: Path):
    """A descriptor opened after the attach socket's close may get its number, and must still be woken."""
    conmon = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    conmon.bind(str(tmp_path / "attach"))
    conmon.listen()
    spare, writing = os.pipe2(os.O_NONBLOCK)
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    attachment = Attachment(tty=False, framed=True, stdin=False, stdout=True, stderr=True)
    before = open_now()
    await attachment.open(tmp_path)
    (number,) = open_now() - before
    woken = asyncio.Event()
    async with TaskOwner() as owner:
        serving = owner.start(attachment.serve(UpgradedConnection(reader, writer)))
        await asyncio.sleep(0)
        writer.transport.abort()
        theirs.close()
        while number in open_now():  # noqa: ASYNC110 - at each turn of the loop, which is what this is about
            await asyncio.sleep(0)
        os.dup2(spare, number)
        asyncio.get_running_loop().add_reader(number, woken.set)
        await asyncio.wait_for(serving, 120)
    os.write(writing, b"x")
    try:
        await asyncio.wait_for(woken.wait(), 20)
    finally:
        asyncio.get_running_loop().remove_reader(number)
        conmon.close()
        for descriptor in (spare, writing, number):
            os.close(descriptor)
