"""A running engine: its clients, its sidecar task and its end."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from pyd_core.daemon.api import load_handlers
from pyd_core.daemon.api.listener import ApiListener, Clients
from pyd_core.daemon.api.server import HttpConnection
from pyd_core.daemon.api.tls import TlsConnection
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.last_output import OutputPiece
from pyd_core.daemon.deadline import Deadline
from pyd_core.daemon.engine import Engine, log_failure
from pyd_core.daemon.limits import raise_open_files
from pyd_core.daemon.sockets import inherited_socket, is_own_client, listen_locally, listen_on
from pyd_core.linux.process import has_terminal
from pyd_core.tasks import TaskOwner

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 30.0

SidecarTask = Callable[[str, Callable[[str], Sequence[OutputPiece] | None]], Coroutine[Any, Any, None]]
"""Work next to a running engine, supplied by the packages above this one.

It gets the engine's address, and a function that returns the last output of a removed container by its id.
"""


async def serve(config: DaemonConfig, *, sidecar: SidecarTask | None = None) -> None:
    """Run an engine until SIGTERM or SIGINT.

    Args:
        config: Where and how.
        sidecar: Runs while the engine listens; cancelled when it stops.

    Raises:
        Refused: Not root.
        Conflict: Another engine has this root.
        Unsupported: A program that it needs is missing, or the kernel can't do what the settings want.
    """
    dispatch = load_handlers()
    all_clients = Clients(raise_open_files() // 4)
    engine = Engine(config)
    remote = engine.settings.addresses()
    context = engine.settings.tls() if remote else None
    await engine.start()
    clients, own_clients = TaskOwner(on_error=log_failure), TaskOwner(on_error=log_failure)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = HttpConnection(reader, writer, lambda head, chunks: dispatch(engine, head, chunks), all_clients)
        # The engine doesn't stay up for its own sidecar.
        await (own_clients if is_own_client(writer) else clients).start(connection.serve())

    async def connected_by_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert context is not None  # noqa: S101 - where it listens by TCP there is one
        await clients.start(TlsConnection(reader, writer, context).serve(connected))

    # Not asyncio's servers: those stop accepting badly where descriptors run out, and unlink what systemd keeps.
    inherited = inherited_socket()
    listeners = [ApiListener(inherited or listen_locally(config), connected, all_clients)]
    for host, port in remote:
        listeners += [ApiListener(sock, connected_by_tls, all_clients) for sock in await listen_on(host, port)]
    for listener in listeners:
        listener.resume()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    # Without a controlling terminal nothing can hang up on the engine, so a SIGHUP means something else.
    loop.add_signal_handler(signal.SIGHUP, stopped.set if has_terminal() else lambda: None)
    log.info("listening on %s", config.socket_path)
    if config.ready_fd >= 0:
        os.write(config.ready_fd, b"\n")
        os.close(config.ready_fd)
    if config.idle:
        engine.tasks.start(_stop_when_idle(engine, clients, stopped))
    sidecar_tasks = TaskOwner(on_error=log_failure)
    if sidecar is not None:
        engine.last_output.enabled = True
        sidecar_tasks.start(sidecar(f"unix://{config.socket_path}", engine.last_output.of))
    try:
        with Deadline() as deadline:
            await stopped.wait()
            deadline.met()
    finally:
        # If something hangs, log where and exit anyway: the records allow that at any moment.
        faulthandler.dump_traceback_later(STOP_TIMEOUT_S, exit=True)
        await sidecar_tasks.aclose()
        for listener in listeners:
            await listener.aclose()
        if inherited is None:  # systemd keeps listening on its own
            config.socket_path.unlink(missing_ok=True)
        await clients.aclose()
        await own_clients.aclose()
        await engine.stop()


async def _stop_when_idle(engine: Engine, clients: TaskOwner, stopped: asyncio.Event) -> None:
    """Stop an engine that was started on demand, once nothing has needed it for a while."""
    seconds = engine.config.idle
    idle_since = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(seconds / 4)
        now = asyncio.get_running_loop().time()
        is_busy = len(clients) > 0 or any(
            container.record.running or container.record.status == "restarting" for container in engine.containers.all()
        )
        if is_busy:
            idle_since = now
        elif now - idle_since >= seconds:
            stopped.set()
            return
