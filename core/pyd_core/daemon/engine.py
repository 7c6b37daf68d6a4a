"""The engine: all its parts, started in order, reconciled with what the last one left, and stopped in order."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

from pyd_core.daemon import settings, userns
from pyd_core.daemon.build.context import sweep
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.health import HealthChecks
from pyd_core.daemon.containers.last_output import LastOutput
from pyd_core.daemon.containers.lifecycle import Lifecycle
from pyd_core.daemon.containers.pause import Freezer
from pyd_core.daemon.containers.start import make_base
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.blobs import Blobs
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.images.registry_config import Hosts
from pyd_core.daemon.images.store import ImageStore
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
        self.tasks = TaskOwner(on_error=log_failure)
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


def log_failure(error: Exception) -> None:
    """Log the failure of a background task."""
    log.error("a background task failed", exc_info=error)
