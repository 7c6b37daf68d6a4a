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
    return {int(each) for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}")}  # noqa: PTH110, PTH208


async def test_a_client_that_leaves_takes_nobody_elses_place_in_the_event_loop(tmp_path: Path):
    """Whoever opens something when the attach socket is closed may get its number, and must still be woken."""
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
        await asyncio.wait_for(serving, 20)
    os.write(writing, b"x")
    try:
        await asyncio.wait_for(woken.wait(), 20)
    finally:
        asyncio.get_running_loop().remove_reader(number)
        conmon.close()
        for each in (spare, writing, number):
            os.close(each)
