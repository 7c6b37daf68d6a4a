"""Health checks: a command run in the container again and again, as its image or creator says."""

from __future__ import annotations

import asyncio
import time

import msgspec

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.execs import ExecRunner
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.times import duration_text
from pyd_core.errors import PydError
from pyd_core.model.base import format_time
from pyd_core.model.container_config import HealthConfig
from pyd_core.model.container_state import Health, HealthResult
from pyd_core.tasks import TaskOwner

INTERVAL, TIMEOUT, START_INTERVAL = 30.0, 30.0, 5.0
"""Seconds, where neither image nor creator says."""
RETRIES = 3
KEPT = 5
"""Results that inspect shows."""
OUTPUT = 4096
"""Bytes of a probe's output that are kept."""


def command(probe: HealthConfig | None) -> list[str]:
    """What is run; empty where nothing is."""
    test = probe.test if probe is not None else []
    if not test or test[0] == "NONE":
        return []
    if test[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", *test[1:]]
    return test[1:] if test[0] == "CMD" else []


def judge(health: Health, result: HealthResult, probe: HealthConfig, *, starting: bool) -> Health:
    """The health after one more result: a pure function.

    Args:
        health: As it was.
        result: What the probe found.
        probe: How it is probed.
        starting: Whether the start period still runs, in which failures don't count.
    """
    log = [*health.log, result][-KEPT:]
    if result.exit_code == 0:
        return Health(status="healthy", failing_streak=0, log=log)
    if starting and health.status == "starting":
        return msgspec.structs.replace(health, log=log)
    streak = health.failing_streak + 1
    failed = streak >= (probe.retries or RETRIES)
    return Health(status="unhealthy" if failed else health.status, failing_streak=streak, log=log)


class HealthChecks:
    """Runs the probes of all running containers."""

    def __init__(self, execs: ExecRunner, events: EventBus, tasks: TaskOwner) -> None:
        self._execs = execs
        self._events = events
        self._tasks = tasks
        self._probes: dict[str, asyncio.Task[None]] = {}

    def begin(self, container: EngineContainer) -> None:
        """Probes a container from now on, if it says how."""
        probe = container.record.config.healthcheck
        container.health = None
        if probe is None or not command(probe):
            return
        container.health = Health(status="starting")
        self._probes[container.id] = self._tasks.start(self._probe(container, probe))

    def end(self, container: EngineContainer) -> None:
        """Stops probing it."""
        task = self._probes.pop(container.id, None)
        if task is not None:
            task.cancel()

    async def _probe(self, container: EngineContainer, probe: HealthConfig) -> None:
        begun = time.monotonic()
        while container.health is not None:
            starting = time.monotonic() - begun < probe.start_period / 1e9
            pause = probe.interval / 1e9 or INTERVAL
            if starting and container.health.status == "starting":
                pause = min(pause, probe.start_interval / 1e9 or START_INTERVAL)
            await asyncio.sleep(pause)
            if container.record.status == "paused":
                continue
            result = await self._run(container, probe)
            if result is None:
                return
            before = container.health
            starting = time.monotonic() - begun < probe.start_period / 1e9
            container.health = judge(before, result, probe, starting=starting)
            if container.health.status != before.status:
                action = f"health_status: {container.health.status}"
                self._events.emit("container", action, container.id, container.attributes())

    async def _run(self, container: EngineContainer, probe: HealthConfig) -> HealthResult | None:
        seconds = probe.timeout / 1e9 or TIMEOUT
        start = format_time(time.time_ns())
        found = bytearray()
        try:
            code, output = await self._execs.capture(
                container, command(probe), seconds=seconds, most=OUTPUT, found=found
            )
            text = output.decode(errors="replace")
        except TimeoutError:
            so_far = f": {found.decode(errors='replace')}" if found else ""
            code, text = -1, f"Health check exceeded timeout ({duration_text(round(seconds * 1e9))}){so_far}"
        except (PydError, OSError) as error:
            if not container.record.running:
                return None
            code, text = -1, str(error)
        return HealthResult(start=start, end=format_time(time.time_ns()), exit_code=code, output=text)
