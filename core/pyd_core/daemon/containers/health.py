"""Health checks: a command that runs in the container at intervals, as its image or creator specifies."""

from __future__ import annotations

import asyncio
import time

import msgspec

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.execs import ExecRunner
from pyd_core.daemon.events import EventBus
from pyd_core.errors import PydError
from pyd_core.gosyntax.durations import format_duration
from pyd_core.model.base import format_time
from pyd_core.model.container_config import HealthConfig
from pyd_core.model.container_state import Health, HealthResult
from pyd_core.tasks import TaskOwner

DEFAULT_INTERVAL_S, DEFAULT_TIMEOUT_S, DEFAULT_START_INTERVAL_S = 30.0, 30.0, 5.0
"""The defaults where neither image nor creator specifies them."""
DEFAULT_RETRIES = 3
MAX_RESULTS = 5
"""How many results inspect shows."""
MAX_OUTPUT_BYTES = 4096
"""How much of a probe's output is kept."""


def command(probe: HealthConfig | None) -> list[str]:
    """Return the command of a probe; empty where there is none."""
    test = probe.test if probe is not None else []
    if not test or test[0] == "NONE":
        return []
    if test[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", *test[1:]]
    return test[1:] if test[0] == "CMD" else []


def judge(health: Health, result: HealthResult, probe: HealthConfig, *, starting: bool) -> Health:
    """Return the health after one more result: a pure function.

    Args:
        health: The health before.
        result: The probe's result.
        probe: The probe's configuration.
        starting: Whether the start period still runs, in which failures don't count.
    """
    log = [*health.log, result][-MAX_RESULTS:]
    if result.exit_code == 0:
        return Health(status="healthy", failing_streak=0, log=log)
    if starting and health.status == "starting":
        return msgspec.structs.replace(health, log=log)
    streak = health.failing_streak + 1
    failed = streak >= (probe.retries or DEFAULT_RETRIES)
    return Health(status="unhealthy" if failed else health.status, failing_streak=streak, log=log)


class HealthChecks:
    """Runs the probes of all running containers."""

    def __init__(self, execs: ExecRunner, events: EventBus, tasks: TaskOwner) -> None:
        self._execs = execs
        self._events = events
        self._tasks = tasks
        self._probes: dict[str, asyncio.Task[None]] = {}

    def begin(self, container: EngineContainer) -> None:
        """Start to probe a container, if it has a health check."""
        probe = container.record.config.healthcheck
        container.health = None
        if probe is None or not command(probe):
            return
        container.health = Health(status="starting")
        self._probes[container.id] = self._tasks.start(self._probe(container, probe))

    def end(self, container: EngineContainer) -> None:
        """Stop probing a container."""
        task = self._probes.pop(container.id, None)
        if task is not None:
            task.cancel()

    async def _probe(self, container: EngineContainer, probe: HealthConfig) -> None:
        begun = time.monotonic()
        while container.health is not None:
            starting = time.monotonic() - begun < probe.start_period / 1e9
            pause = probe.interval / 1e9 or DEFAULT_INTERVAL_S
            if starting and container.health.status == "starting":
                pause = min(pause, probe.start_interval / 1e9 or DEFAULT_START_INTERVAL_S)
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
        seconds = probe.timeout / 1e9 or DEFAULT_TIMEOUT_S
        start = format_time(time.time_ns())
        printed = bytearray()
        try:
            code, output = await self._execs.capture(
                container, command(probe), timeout_s=seconds, max_bytes=MAX_OUTPUT_BYTES, output=printed
            )
            text = output.decode(errors="replace")
        except TimeoutError:
            so_far = f": {printed.decode(errors='replace')}" if printed else ""
            code, text = -1, f"Health check exceeded timeout ({format_duration(round(seconds * 1e9))}){so_far}"
        except (PydError, OSError) as error:
            if not container.record.running:
                return None
            code, text = -1, str(error)
        return HealthResult(start=start, end=format_time(time.time_ns()), exit_code=code, output=text)
