"""Gathering all evidence about one container in one pass."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider
from pyd_core.kube.pod_source import PodSource
from pyd_core.linux.process import counts_as_host
from pyd_core.model.base import parse_time
from pyd_core.model.event import Event
from pyd_core.model.system import Version
from pyd_core.triage.collect import cgroup, events, host, image, kernel, log, peers, request
from pyd_core.triage.evidence import Case
from pyd_core.triage.phrases import credible_output, find_phrases
from pyd_core.triage.runs import is_looping, judged_run, runs_of
from pyd_core.triage.start_errors import parse_start_error

if TYPE_CHECKING:
    from pyd_core.triage.pods.collect import ClusterEvidence


class SharedEvidence:
    """Evidence shared by all containers of an engine, read once for a scan.

    Attributes:
        local: Whether the engine runs under this very kernel, so that its cgroups, files and log can be read here.
        tool: `docker` or `podman`.
        architecture: Of the engine's machine, as images name it.
        events: Of all containers by id, where they were fetched at once.
        cluster: Events and nodes, on a cluster.
    """

    def __init__(
        self,
        version: Version,
        *,
        local: bool,
        events: dict[str, list[Event]] | None = None,
        look: Callable[[], kernel.Kernel] = kernel.read,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.events = events
        self._endpoint = endpoint
        self.local = local and version.kernel_version in {"", os.uname().release}
        names = {component.name for component in version.components}
        self.tool = "podman" if any("Podman" in name for name in names) else "docker"
        self.architecture = version.arch
        self.cluster: ClusterEvidence | None = None
        self._kernel: kernel.Kernel | None = None
        self._look = look

    @classmethod
    async def of(
        cls, engine: Provider, *, all_events: bool = False, look: Callable[[], kernel.Kernel] = kernel.read
    ) -> SharedEvidence:
        """Ask the engine.

        Args:
            engine: The engine.
            all_events: Fetch the events of all containers at once, for a sweep.
            look: Reads the kernel log of this machine.
        """
        around = cls(await engine.system.version(), local=engine.endpoint.is_local, look=look, endpoint=engine.endpoint)
        if all_events:
            around.events = await events.fetch_all(engine, around.tool)
        if isinstance(engine, PodSource):
            from pyd_core.triage.pods.collect import ClusterEvidence  # noqa: PLC0415 - engines don't need it

            around.cluster = ClusterEvidence(engine, all_events=all_events)
        return around

    @property
    def kernel(self) -> kernel.Kernel:
        """The kernel log, read at first use."""
        if self._kernel is None:
            self._kernel = self._look() if self.local else kernel.elsewhere()
        return self._kernel

    @cached_property
    def engine_started_ns(self) -> int | None:
        """The start time of the engine's daemon, if containers end with it."""
        if not self.local or self.tool != "docker" or self._endpoint is None:
            return None
        return host.engine_started(self._endpoint)

    def look(self) -> None:
        """Read what is the same for all now, which may take a while, rather than at first use."""
        _ = self.kernel, self.engine_started_ns

    def look_again(self) -> None:
        """Has all of that read again at the next use, for what happened since."""
        self._kernel = None
        self.__dict__.pop("engine_started_ns", None)


async def gather(
    engine: Provider, name: str, *, around: SharedEvidence | None = None, now_ns: int | None = None
) -> Case:
    """Collect the evidence about a container.

    Args:
        engine: The engine it is on.
        name: Name or id, as the engine takes it.
        around: Shared between the containers of a sweep.
        now_ns: The present, nanoseconds since the epoch.

    Raises:
        NotFound: No such container.
        EngineUnavailable: The engine doesn't answer.
    """
    around = around or await SharedEvidence.of(engine)
    container = await engine.containers.inspect(name)
    case = Case(container=container, now_ns=now_ns or time.time_ns(), tool=around.tool)
    await events.collect(case, engine, known=around.events)
    if around.cluster is not None:
        await around.cluster.collect(case)
    return await complete(case, engine, around)


async def complete(case: Case, engine: Provider, around: SharedEvidence, *, main_pid: int = 0) -> Case:
    """Collect all evidence that depends on inspect and events.

    Args:
        case: With its container and events; with its lines too where the engine can't be asked for them any more.
        engine: Asked for output.
        around: What is the same for all containers.
        main_pid: The run's first process, where it was seen alive.
    """
    container = case.container
    case.runs = runs_of(case.events or ())
    case.run = judged_run(container, case.runs, case.now_ns)
    events.note_lost(case)
    case.architecture = around.architecture
    if counts_as_host():  # the kernel log names pids as the host counts them
        case.main_pid = container.state.pid if case.run.alive else main_pid
    _start_failure(case)
    kernel.collect(case, around.kernel)
    cgroup.collect(case, local=around.local)
    if _wants_output(case):
        if case.lines is None:
            await log.collect(case, engine)
        output = credible_output(case.lines or (), case.run.ended_ns)
        case.findings = find_phrases((*output, *log.probe_lines(case)))
        if case.pod is None:  # pods reach each other without networks of their own
            await peers.collect(case, engine)
    if not case.run.alive or case.run.started_ns is None:
        host.collect(case, local=around.local, engine_started_ns=around.engine_started_ns)
        await host.note_outlived(case, engine)
        await request.collect(case, engine, local=around.local)
        if case.pod is None and _wants_program(case):  # a pod's files can only be read by an exec while it runs
            await image.collect(case, engine, local=around.local)
    return case


def _start_failure(case: Case) -> None:
    state = case.container.state
    if not state.error or state.running:
        return
    when = state.finished_ns or parse_time(case.container.created)
    case.start_failure = parse_start_error(state.error, time_ns=when, workdir=case.container.config.working_dir)


def _wants_output(case: Case) -> bool:
    """Output is read for what ended or is unwell; of a healthy one it says nothing about a cause."""
    health = case.container.state.health
    unwell = health is not None and health.status == "unhealthy"
    return not case.run.alive or unwell or is_looping(case.container, case.runs, case.now_ns)


def _wants_program(case: Case) -> bool:
    """The program's file matters when it could not be run, or ended at once."""
    if case.start_failure is not None or case.container.state.error:
        return True
    if case.run.started_ns is None or case.run.code in {0, None} or case.run.signal is not None:
        return False
    return case.run.code in {126, 127} or (case.run.seconds or 0) < 5
