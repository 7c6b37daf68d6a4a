"""The engine: all its services, composed, started and stopped in order."""

from __future__ import annotations

import fcntl
import logging
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon import settings, userns
from pyd_core.daemon.build.context import BuildContexts
from pyd_core.daemon.build.named_builds import NamedBuilds
from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.clean_up import CleanUp
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.creation import ContainerCreator
from pyd_core.daemon.containers.execs import ExecRunner
from pyd_core.daemon.containers.files import ContainerFiles
from pyd_core.daemon.containers.health import HealthChecks
from pyd_core.daemon.containers.last_output import LastOutput
from pyd_core.daemon.containers.launcher import Launcher
from pyd_core.daemon.containers.lifecycle import Lifecycle
from pyd_core.daemon.containers.pause import Freezer
from pyd_core.daemon.containers.population import VolumePopulator
from pyd_core.daemon.containers.removal import ContainerRemover
from pyd_core.daemon.containers.rootfs import RootMounter, make_base
from pyd_core.daemon.containers.start import StartPreparation
from pyd_core.daemon.containers.view import ContainerView
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.blobs import BlobStore
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.images.registry_config import RegistrySettings
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.address_allocator import AddressAllocator
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.networks.files import NetworkFiles
from pyd_core.daemon.recovery import Recovery
from pyd_core.daemon.runtime import oci
from pyd_core.daemon.runtime.reaper import OrphanReaper
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.runtime.versions import Versions
from pyd_core.daemon.store import Store
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import Conflict, InvalidInput, Refused
from pyd_core.linux.reaper import become_subreaper
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.daemon.build.classic.steps import ClassicServices
    from pyd_core.daemon.build.exporters.exporters import BuildExporters
    from pyd_core.daemon.build.server import BuildServer
    from pyd_core.daemon.build.solver.solver import BuildSolver

log = logging.getLogger(__name__)

PRIVATE_DIRECTORIES = ("blobs", "layers", "volumes")
"""Directories that no user but root looks into: set-user-ID files that containers leave there would run as root."""


class Engine:
    """A running engine: its services, each made from the others that it needs."""

    def __init__(self, config: DaemonConfig) -> None:
        if os.geteuid() != 0:
            raise Refused("the engine must run as root", hint="start it with sudo")
        _make_directories(config)
        if config.subnet and addresses.parse_subnet(config.subnet).version != 4:
            raise InvalidInput(f"invalid subnet {config.subnet[:60]}: the default bridge takes one of IPv4")
        self.config = config
        self.settings = settings.read(config.settings)
        self.registries = RegistrySettings(
            mirrors=self.settings.registry_mirrors,
            insecure=self.settings.insecure_registries,
            certificates=Path(self.settings.registry_certificates),
        )
        self._lock = _lock_root(config.root)
        become_subreaper()
        self.unified = oci.unified()
        self.processors = os.cpu_count() or 1
        self.runtimes = Runtimes(config.runtime, config.run, self.settings.runtimes)
        self.runtime = self.runtimes.default
        self.base = config.root / "base" / "root"
        make_base(self.base.parent)
        self.remapping = userns.set_up(config, self.settings.userns_remap)
        self.events = EventBus()
        self.tasks = TaskOwner(on_error=log_failure)
        self.versions = Versions(self.tasks)
        self.orphans = OrphanReaper()
        self.last_output = LastOutput()
        self._compose_stores()
        self._compose_services()

    def _compose_stores(self) -> None:
        """Open the stores on disk."""
        root = self.config.root
        self.store = Store(root / "engine.db")
        self.containers = ContainerStore(self.config, self.store, self.events)
        blobs = BlobStore(root / "blobs")
        layers = LayerStore(root / "layers", blobs, self.store)
        self.images = ImageStore(self.store, blobs, layers, self.containers)
        self.image_events = ImageEvents(self.images, self.events)
        self.volumes = VolumeStore(root / "volumes", self.store, self.events, self.containers.using_volume)
        self.networks = NetworkStore(
            config=self.config,
            store=self.store,
            events=self.events,
            tasks=self.tasks,
            containers=self.containers,
        )

    def _compose_services(self) -> None:
        """Make the services that work on the stores, in the order of their dependencies."""
        roots = RootMounter(self.images.layers, self.base)
        claims = VolumeClaims(self.volumes, self.events)
        network_files = NetworkFiles(self.containers, self.networks)
        self.addresses = AddressAllocator(self.networks)
        self.endpoints = Endpoints(
            config=self.config,
            events=self.events,
            containers=self.containers,
            networks=self.networks,
            files=network_files,
            allocator=self.addresses,
        )
        self.populator = VolumePopulator(
            containers=self.containers, volumes=self.volumes, roots=roots, remapping=self.remapping
        )
        self.files = ContainerFiles(
            tasks=self.tasks,
            roots=roots,
            claims=claims,
            populator=self.populator,
            network_files=network_files,
        )
        self.execs = ExecRunner(
            containers=self.containers,
            runtimes=self.runtimes,
            orphans=self.orphans,
            events=self.events,
            tasks=self.tasks,
        )
        self.freezer = Freezer(containers=self.containers, runtimes=self.runtimes, events=self.events, tasks=self.tasks)
        remover = ContainerRemover(
            containers=self.containers,
            volumes=self.volumes,
            claims=claims,
            last_output=self.last_output,
            events=self.events,
        )
        clean_up = CleanUp(
            runtimes=self.runtimes,
            endpoints=self.endpoints,
            claims=claims,
            tasks=self.tasks,
            remapping=self.remapping,
            config=self.config,
        )
        self.launcher = Launcher(
            config=self.config,
            containers=self.containers,
            runtimes=self.runtimes,
            populator=self.populator,
            preparation=StartPreparation(
                config=self.config,
                cdi_spec_dirs=self.settings.cdi_spec_dirs,
                containers=self.containers,
                roots=roots,
                claims=claims,
                endpoints=self.endpoints,
                files=network_files,
                remapping=self.remapping,
            ),
            clean_up=clean_up,
            remapping=self.remapping,
        )
        self.lifecycle = Lifecycle(
            containers=self.containers,
            runtimes=self.runtimes,
            launcher=self.launcher,
            health=HealthChecks(self.execs, self.events, self.tasks),
            freezer=self.freezer,
            clean_up=clean_up,
            remover=remover,
            events=self.events,
            tasks=self.tasks,
        )
        self.creator = ContainerCreator(
            root=self.config.root,
            processors=self.processors,
            store=self.store,
            containers=self.containers,
            images=self.images,
            volumes=self.volumes,
            endpoints=self.endpoints,
            runtimes=self.runtimes,
            remapping=self.remapping,
            events=self.events,
        )
        self.view = ContainerView(
            containers=self.containers,
            layers=self.images.layers,
            base=self.base,
            endpoints=self.endpoints,
            default_runtime=self.runtime.name,
            unified=self.unified,
        )
        self.named_builds = NamedBuilds()
        self.build_contexts = BuildContexts(self.config.root / "build", self.images, self.tasks)
        self._recovery = Recovery(
            config=self.config,
            containers=self.containers,
            remover=remover,
            claims=claims,
            volumes=self.volumes,
            networks=self.networks,
            endpoints=self.endpoints,
            runtimes=self.runtimes,
            freezer=self.freezer,
            lifecycle=self.lifecycle,
            tasks=self.tasks,
        )

    @property
    def has_build_cache(self) -> bool:
        """Whether the engine has built before: until then its solver isn't loaded."""
        return "build_solver" in self.__dict__ or (self.config.root / "builder").exists()

    @cached_property
    def build_solver(self) -> BuildSolver:
        """The solver of builds, which loads with the first build."""
        from pyd_core.daemon.build.solver.solver import BuildSolver  # noqa: PLC0415 - loads Protocol Buffers
        from pyd_core.daemon.networks.step_namespaces import StepNamespaces  # noqa: PLC0415 - only for builds

        return BuildSolver(
            config=self.config,
            images=self.images,
            image_events=self.image_events,
            registries=self.registries,
            namespaces=StepNamespaces(self.config, self.networks, self.addresses, self.tasks),
            runtime=self.runtime,
            remapping=self.remapping,
        )

    @cached_property
    def build_exporters(self) -> BuildExporters:
        """The exporters of builds."""
        from pyd_core.daemon.build.exporters.exporters import BuildExporters  # noqa: PLC0415 - loads Protocol Buffers

        return BuildExporters(self.build_solver, self.image_events)

    @cached_property
    def classic_builds(self) -> ClassicServices:
        """The parts that builds by `/build` use."""
        from pyd_core.daemon.build.classic.kept import KeptSteps  # noqa: PLC0415 - with the solver only
        from pyd_core.daemon.build.classic.steps import ClassicServices  # noqa: PLC0415 - loads Protocol Buffers

        return ClassicServices(
            solver=self.build_solver,
            events=self.image_events,
            tasks=self.tasks,
            packer=self.build_exporters.packer,
            kept=KeptSteps(self.creator, self.containers),
            spool=self.config.run / "build-output",
        )

    @cached_property
    def builds(self) -> BuildServer:
        """The server of builds, which loads with the first one."""
        from pyd_core.daemon.build.server import BuildServer  # noqa: PLC0415 - loads gRPC

        return BuildServer(
            engine_id=self.config.instance or "pyd",
            host_gateway=self.networks.default_gateway,
            root=self.config.root / "builder",
            sockets=self.config.run / "agents",
            store=self.store,
            solver=self.build_solver,
            exporters=self.build_exporters,
        )

    async def start(self) -> None:
        """Bring the machine in line with the records.

        Interrupted operations are completed or undone, and running containers are watched again.
        """
        self.orphans.begin()
        if (self.config.root / "builder").exists():
            await self.build_solver.recover()
        await self._recovery.run()

    async def stop(self) -> None:
        """Stop the engine; its containers keep running."""
        self.lifecycle.shut_down()
        if "build_solver" in self.__dict__:
            await self.build_solver.close()
        await self.tasks.aclose()
        self.endpoints.stop()
        await self.networks.stop()
        self.orphans.end()
        oci.remove_group(self.config.cgroup)
        if self.remapping is not None:
            self.remapping.close()
        self.store.close()
        os.close(self._lock)


def _make_directories(config: DaemonConfig) -> None:
    for directory in (config.root, config.run):
        directory.mkdir(parents=True, exist_ok=True, mode=0o711)
    for name in PRIVATE_DIRECTORIES:
        (config.root / name).mkdir(exist_ok=True)
        (config.root / name).chmod(0o700)


def _lock_root(root: Path) -> int:
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
