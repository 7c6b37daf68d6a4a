"""The engine: all its parts, started in order, reconciled with what the last one left, and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import fcntl
import grp
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from pyd_core.daemon import settings, userns
from pyd_core.daemon.build.context import sweep
from pyd_core.daemon.config import GROUPS, DaemonConfig
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.health import HealthChecks
from pyd_core.daemon.containers.last_output import LastOutput, Piece
from pyd_core.daemon.containers.lifecycle import Lifecycle
from pyd_core.daemon.containers.pause import Freezer
from pyd_core.daemon.containers.start import make_base
from pyd_core.daemon.deadline import Deadline
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.blobs import Blobs
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.images.registry_config import Hosts
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.limits import raise_open_files
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.recovery import recover
from pyd_core.daemon.runtime import oci
from pyd_core.daemon.runtime.reaper import Orphans
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.runtime.versions import Versions
from pyd_core.daemon.store import Store
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import Conflict, InvalidInput, Refused
from pyd_core.linux.process import has_terminal
from pyd_core.linux.reaper import become_subreaper
from pyd_core.tasks import TaskOwner

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds in which an engine that is told to end has ended."""

BACKLOG = 4096
"""Connections that wait to be accepted; the kernel's own limit may be lower, see net.core.somaxconn."""

PRIVATE = ("blobs", "layers", "volumes")
"""Directories that no user but root looks into: set-user-ID files that containers leave there would run as root."""


class Engine:
    """One running engine."""

    def __init__(self, config: DaemonConfig) -> None:
        if os.geteuid() != 0:
            raise Refused("the engine must run as root", hint="start it with sudo")
        for directory in (config.root, config.run):
            directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        for name in PRIVATE:
            (config.root / name).mkdir(exist_ok=True)
            (config.root / name).chmod(0o700)
        if config.subnet and addresses.subnet(config.subnet).version != 4:
            raise InvalidInput(f"invalid subnet {config.subnet[:60]}: the default bridge takes one of IPv4")
        self.config = config
        self.settings = settings.read(config.settings)
        self.registries = Hosts(
            mirrors=self.settings.registry_mirrors,
            insecure=self.settings.insecure_registries,
            certificates=Path(self.settings.registry_certificates),
        )
        self._lock = _only_one(config.root)
        become_subreaper()
        self.unified = oci.unified()
        self.stopping = False
        self.processors = os.cpu_count() or 1
        self.runtimes = Runtimes(config.runtime, config.run, self.settings.runtimes)
        self.runtime = self.runtimes.default
        self.base = config.root / "base" / "root"
        make_base(self.base.parent)
        sweep(config.root)
        self.remapping = userns.set_up(config, self.settings.userns_remap)
        self.store = Store(config.root / "engine.db")
        self.events = EventBus()
        self.tasks = TaskOwner(on_error=_report)
        self.versions = Versions(self.tasks)
        self.orphans = Orphans()
        blobs = Blobs(config.root / "blobs")
        self.images = ImageStore(self.store, blobs, LayerStore(config.root / "layers", blobs, self.store))
        self.volumes = VolumeStore(config.root / "volumes", self.store, self.events)
        self.networks = NetworkStore(self)
        self.endpoints = Endpoints(self)
        self.containers = ContainerStore(self)
        self.health = HealthChecks(self)
        self.freezer = Freezer(self)
        self.last_output = LastOutput()
        self.lifecycle = Lifecycle(self)
        self.images.users = lambda image_id: [
            each.id for each in self.containers.all() if each.record.image_id == image_id
        ]
        self.images.is_running = lambda key: any(
            each.id == key and each.record.running for each in self.containers.all()
        )
        self.images.kept_layers = lambda: {diff_id for each in self.containers.all() for diff_id in each.record.layers}
        self.volumes.users = lambda name: [
            each.id for each in self.containers.all() if any(mount.volume == name for mount in each.record.mounts)
        ]

    async def start(self) -> None:
        """Puts the world in line with the records: finishes, undoes, finds containers again."""
        self.orphans.begin()
        await recover(self)

    async def stop(self) -> None:
        """Lets go of everything; containers live on."""
        self.stopping = True
        await self.tasks.aclose()
        self.endpoints.stop()
        await self.networks.stop()
        self.orphans.end()
        oci.remove_parent(self.config.cgroup)
        if self.remapping is not None:
            self.remapping.close()
        self.store.close()
        os.close(self._lock)


def _only_one(root: Path) -> int:
    fd = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Conflict(f"another engine runs on {root}", hint="choose another --root, or stop the other one") from None
    return fd


def _report(error: Exception) -> None:
    log.error("a background task failed", exc_info=error)


def inherited() -> socket.socket | None:
    """Returns the socket systemd holds for this engine; None when it doesn't (sd_listen_fds(3))."""
    meant = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    if os.environ.pop("LISTEN_FDS", "") != "1" or not meant:
        return None
    found = socket.socket(fileno=3)
    found.set_inheritable(False)
    return found


def listen(config: DaemonConfig) -> socket.socket:
    """Makes the socket, for root and the group alone; a dead engine's is replaced.

    It gets its name once it listens: whoever waits for the name can connect.
    """
    path = config.socket_path
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = path.with_name(f".{path.name}.new")
    unready.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            made.bind(f"/proc/self/fd/{directory}/{unready.name}")  # sun_path has 108 bytes
        finally:
            os.close(directory)
    finally:
        os.umask(old)
    for group in (config.group,) if config.group else GROUPS:
        with contextlib.suppress(KeyError):
            os.chown(unready, 0, grp.getgrnam(group).gr_gid)
            unready.chmod(0o660)
            break
    made.listen(BACKLOG)
    unready.replace(path)
    return made


async def _bound(host: str, port: int) -> list[socket.socket]:
    """Makes the sockets of an address; a name may have several."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [socket.create_server(address[:2], family=family, backlog=BACKLOG) for family, _, _, _, address in found]


def _is_us(writer: asyncio.StreamWriter) -> bool:
    """Whether a client is this very process: what works beside the engine doesn't need it to go on."""
    its = writer.get_extra_info("socket")
    if its.family != socket.AF_UNIX:
        return False
    peer = its.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # struct ucred of unix(7), the pid first
    return int.from_bytes(peer[:4], sys.byteorder) == os.getpid()


async def _until_idle(daemon: Engine, clients: TaskOwner, over: asyncio.Event) -> None:
    """Ends an engine that was started on demand, once nothing has needed it for a while."""
    seconds = daemon.config.idle
    since = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(seconds / 4)
        now = asyncio.get_running_loop().time()
        busy = len(clients) > 0 or any(
            each.record.running or each.record.status == "restarting" for each in daemon.containers.all()
        )
        if busy:
            since = now
        elif now - since >= seconds:
            over.set()
            return


Beside = Callable[[str, Callable[[str], Sequence[Piece] | None]], Coroutine[Any, Any, None]]
"""Work that goes on while an engine runs, given its address and what removed containers wrote last, by their id: the
rooms above this one have some."""


async def serve(config: DaemonConfig, *, beside: Beside | None = None) -> None:
    """Runs an engine until SIGTERM or SIGINT.

    Args:
        config: Where and how.
        beside: Runs from when it listens until it ends; cancelled then.

    Raises:
        Refused: Not root.
        Conflict: Another engine has this root.
        Unsupported: A program it stands on is missing, or the kernel can't do what the settings want.
    """
    from pyd_core.daemon.api import load  # noqa: PLC0415 - the handlers import this module's types
    from pyd_core.daemon.api.listener import ApiListener, Clients  # noqa: PLC0415
    from pyd_core.daemon.api.server import HttpConnection  # noqa: PLC0415
    from pyd_core.daemon.api.tls import TlsConnection  # noqa: PLC0415

    dispatch = load()
    everybody = Clients(raise_open_files() // 4)
    daemon = Engine(config)
    remote = daemon.settings.addresses()
    context = daemon.settings.tls() if remote else None
    await daemon.start()
    clients, ourselves = TaskOwner(on_error=_report), TaskOwner(on_error=_report)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = HttpConnection(reader, writer, lambda head, chunks: dispatch(daemon, head, chunks), everybody)
        await (ourselves if _is_us(writer) else clients).start(connection.serve())

    given = inherited()

    async def by_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert context is not None  # noqa: S101 - where it listens by TCP there is one
        await clients.start(TlsConnection(reader, writer, context).serve(connected))

    # Not asyncio's servers: those stop accepting badly where descriptors run out, and unlink what systemd keeps.
    listeners = [ApiListener(given or listen(config), connected, everybody)]
    for host, port in remote:
        listeners += [ApiListener(each, by_tls, everybody) for each in await _bound(host, port)]
    for listener in listeners:
        listener.resume()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    # Without a terminal of its own none can hang up on the engine, so whoever sends it means something else.
    loop.add_signal_handler(signal.SIGHUP, over.set if has_terminal() else lambda: None)
    log.info("listening on %s", config.socket_path)
    if config.ready_fd >= 0:
        os.write(config.ready_fd, b"\n")
        os.close(config.ready_fd)
    if config.idle:
        daemon.tasks.start(_until_idle(daemon, clients, over))
    company = TaskOwner(on_error=_report)
    if beside is not None:
        daemon.last_output.wanted = True
        company.start(beside(f"unix://{config.socket_path}", daemon.last_output.of))
    try:
        with Deadline() as deadline:
            await over.wait()
            deadline.met()
    finally:
        # What hangs says where it does, and the engine ends all the same: its records are fit for that at any moment.
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        await company.aclose()
        for listener in listeners:
            await listener.aclose()
        if given is None:  # systemd goes on listening on its own
            config.socket_path.unlink(missing_ok=True)
        await clients.aclose()
        await ourselves.aclose()
        await daemon.stop()
