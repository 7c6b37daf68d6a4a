"""The lifecycle of containers: start, end, stop, kill, restart and removal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time

from pyd_core.daemon.containers import log_rotation, oom, restarts, signals, start_attempt
from pyd_core.daemon.containers.clean_up import CleanUp
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.health import HealthChecks
from pyd_core.daemon.containers.launcher import Launcher
from pyd_core.daemon.containers.log_options import LogLimits
from pyd_core.daemon.containers.pause import Freezer
from pyd_core.daemon.containers.record import ProcessRecord
from pyd_core.daemon.containers.removal import ContainerRemover
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.limits import SCARCE
from pyd_core.daemon.runtime import conmon, interrupted_start, subprocesses
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.errors import Conflict, EngineError, PydError
from pyd_core.linux.reaper import exit_code
from pyd_core.model.base import format_time, parse_time
from pyd_core.tasks import TaskOwner

DEFAULT_STOP_TIMEOUT_S = 10
"""The default time between the stop signal and SIGKILL."""
KILL_TIMEOUT_S = 60.0
"""How long the main process may take to end after SIGKILL; one that waits for a device doesn't."""
CONMON_EXIT_TIMEOUT_S = 10.0
"""How long conmon may take to exit after its container."""

log = logging.getLogger(__name__)


class Lifecycle:
    """Moves containers from state to state; each step is recorded before the next."""

    def __init__(
        self,
        *,
        containers: ContainerStore,
        runtimes: Runtimes,
        launcher: Launcher,
        health: HealthChecks,
        freezer: Freezer,
        clean_up: CleanUp,
        remover: ContainerRemover,
        events: EventBus,
        tasks: TaskOwner,
    ) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._launcher = launcher
        self._health = health
        self._freezer = freezer
        self._clean_up = clean_up
        self._remover = remover
        self._events = events
        self._tasks = tasks
        self._stopping = False
        self._delays = restarts.Delays()

    def shut_down(self) -> None:
        """Stop restarting containers that end, because the engine stops."""
        self._stopping = True

    async def start(self, container: EngineContainer) -> bool:
        """Start a container; return False when it runs already.

        Raises:
            Conflict: It is paused or about to be removed.
            EngineError: The runtime refused.
        """
        container.ensure_not_removing("started")
        async with container.lock:
            if not container.record.running:  # a start by a client resets the restart policy
                container.record.restart_count = 0
                self._delays.forget(container.id)
            return await self._start(container)

    async def _start(self, container: EngineContainer) -> bool:
        record = container.record
        if record.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        container.ensure_not_removing("started")
        if record.running:
            return False
        record.error, record.oom_killed, record.stopped_by_hand = "", False, False
        try:
            await start_attempt.run(container, self._launcher.launch(container), self._tasks)
        except Exception as error:  # also for a bug: nothing of the start may stay
            await self._clean_up.surely(container)
            if record.holder is not None:
                await conmon.end(record.holder)
            record.main = record.holder = None
            record.error = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            record.exit_code = (
                126 if "permission denied" in record.error else 127 if _is_missing_file(record.error) else 128
            )
            record.status = "exited" if record.started_at[:4] != "0001" else "created"
            self._containers.save_best_effort(container)
            container.release_waiting_clients()
            container.notify_exit()
            if _is_removed_at_end(container):
                self._tasks.start(self._auto_remove(container))
            raise
        self._events.emit("container", "start", record.id, container.attributes())
        self.watch(container)
        return True

    def watch(self, container: EngineContainer) -> None:
        """Wait in the background for a container's end."""
        self._tasks.start(self._watch_end(container), name=f"end of {container.id[:12]}")
        self._health.begin(container)

    async def _watch_end(self, container: EngineContainer) -> None:
        record = container.record
        holder = record.holder
        if holder is not None:
            if holder.lives:
                await self._wait_for_conmon(container, holder)
            exit_code(holder.pid)  # it became our child when it detached: reap it, however early it ended
        self._health.end(container)
        async with container.lock:
            if record.holder is not holder or not record.running:
                return
            await self._record_end(container)
            again = restarts.is_restarted_after_end(record) and not self._stopping
            if again:
                record.status = "restarting"
                self._containers.save_best_effort(container)
        container.notify_exit()
        if again:
            await self._restart_later(container)
        elif _is_removed_at_end(container):
            await self._auto_remove(container)

    async def _wait_for_conmon(self, container: EngineContainer, holder: ProcessRecord) -> None:
        """Wait for a container's conmon, which gets a moment after the main process has ended."""
        limits = LogLimits.read(container.record.host.log_config)
        main = container.record.main
        async with TaskOwner(on_error=_report) as owner:
            if limits.files > 1:
                owner.start(log_rotation.rotate_while_running(container, limits))
            if container.record.host.memory:
                owner.start(oom.watch(container, self._record_oom))
            gone = owner.start(subprocesses.ended(holder.pid))
            if main is not None and main.lives:
                main_ended = owner.start(subprocesses.ended(main.pid))
                await asyncio.wait({gone, main_ended}, return_when=asyncio.FIRST_COMPLETED)
            container.release_attachments()
            await asyncio.wait({gone}, timeout=CONMON_EXIT_TIMEOUT_S)
            if not gone.done():
                log.warning("%s has ended and its conmon hasn't: it is killed", container.record.name)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(holder.pid, signal.SIGKILL)
            await gone

    def _record_oom(self, container: EngineContainer) -> None:
        if not container.record.oom_killed:
            container.record.oom_killed = True
            self._containers.save_best_effort(container)
            self._events.emit("container", "oom", container.id, container.attributes())

    async def _record_end(self, container: EngineContainer) -> None:
        record = container.record
        file = self._launcher.exits / record.id
        ended_ns = time.time_ns()
        try:
            record.exit_code, ended_ns = await conmon.exit_status(file)
        except (OSError, ValueError):
            record.exit_code = 137  # conmon itself was killed, and its container with it
            record.error = "the process that held the container was killed"
        ran_out_of_memory = oom.happened(container)
        record.finished_at = format_time(max(ended_ns, _nanoseconds(record.started_at)))
        await self._clean_up.surely(container)
        record.status, record.main, record.holder, record.thaw = "exited", None, None, False
        self._containers.save_best_effort(container)
        file.unlink(missing_ok=True)
        if ran_out_of_memory:
            self._record_oom(container)
        spent = str(max(0, (time.time_ns() - _nanoseconds(record.started_at)) // 10**9))
        attributes = container.attributes(exitCode=str(record.exit_code), execDuration=spent)
        self._events.emit("container", "die", record.id, attributes)

    async def record_missed_end(self, container: EngineContainer) -> None:
        """Record the end of a container that ended while no engine ran."""
        async with container.lock:
            if container.record.running:
                await self._record_end(container)
            container.record.status = "exited"
            self._containers.save_best_effort(container)
        if container.record.host.auto_remove:
            await self._auto_remove(container)

    async def undo_start(self, container: EngineContainer) -> None:
        """Clean up after a start that was interrupted."""
        async with container.lock:
            await interrupted_start.kill(container.id)
            await self._clean_up.surely(container)

    async def _restart_later(self, container: EngineContainer) -> None:
        record = container.record
        while True:
            await asyncio.sleep(self._delays.take(record))
            async with container.lock:
                if record.status != "restarting" or record.stopped_by_hand:
                    return
                record.restart_count += 1
                try:
                    await self._start(container)
                except OSError as error:
                    if error.errno not in SCARCE or record.host.auto_remove:
                        return
                    record.status = "restarting"  # scarce resources come back
                    self._containers.save_best_effort(container)
                except PydError:
                    return
                else:
                    return

    async def _auto_remove(self, container: EngineContainer) -> None:
        with contextlib.suppress(PydError):
            await self.remove(container, force=True, volumes=True)

    def signal(self, container: EngineContainer, number: int) -> None:
        """Send a signal to the main process.

        Raises:
            Conflict: It doesn't run.
        """
        record = container.record
        main = record.main
        if not record.running or main is None:
            raise Conflict(f"container {record.id} is not running")
        try:
            fd = os.pidfd_open(main.pid)
        except ProcessLookupError:
            return
        try:
            if main.lives:  # by start time, after the descriptor pins the pid
                signal.pidfd_send_signal(fd, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(fd)

    async def kill(self, container: EngineContainer, name: str) -> None:
        """Send a signal by name; SIGKILL and the stop signal end a paused container too.

        As in Docker Engine, a container that ends by its stop signal isn't restarted; without a stop signal of its own,
        neither is one that ends by any signal.
        """
        number = signals.number(name or "KILL")
        record = container.record
        if not record.running and record.status != "restarting":
            raise Conflict(f"Cannot kill container: {record.name}: container {record.id} is not running")
        own = record.config.stop_signal
        ending = number == signal.SIGKILL or not own or number == signals.number(own)
        if ending or record.host.restart_policy.name == "unless-stopped":
            record.stopped_by_hand = True
        if await self._cancel_restart(container) or record.status == "restarting":
            return  # no process runs that could get the signal
        self.signal(container, number)
        if record.status == "paused" and ending:
            with contextlib.suppress(PydError):  # it has ended already, or another client unpauses it
                await self._runtimes.of(record).resume(record.id)
            if number != signal.SIGKILL and record.status == "paused":
                record.status = "running"
                self._events.emit("container", "unpause", record.id, container.attributes())
            self._containers.save_best_effort(container)
        self._events.emit("container", "kill", record.id, container.attributes(signal=str(number)))
        if number == signal.SIGKILL and record.running:
            ended = container.next_end()
            try:
                await _wait_for_killed(container, ended)
            finally:
                ended.cancel()

    async def stop(self, container: EngineContainer, *, name: str = "", grace: int | None = None) -> bool:
        """Send the stop signal, and SIGKILL after the grace; return False when the container doesn't run."""
        record = container.record
        if record.status == "restarting":
            record.stopped_by_hand = True
            if await self._cancel_restart(container):
                return True
        if not record.running:
            return False
        record.stopped_by_hand = True
        number = signals.number(name or record.config.stop_signal or "TERM")
        if grace is None:
            grace = DEFAULT_STOP_TIMEOUT_S if record.config.stop_timeout is None else record.config.stop_timeout
        ended = container.next_end()
        try:
            await self._stop(container, number, grace, ended)
        finally:
            ended.cancel()
        self._events.emit("container", "stop", record.id, container.attributes())
        return True

    async def _cancel_restart(self, container: EngineContainer) -> bool:
        """Cancel the pending restart of a container that a client stopped; return False if there is none."""
        if container.record.status != "restarting" or not container.record.stopped_by_hand:
            return False
        interrupted = container.interrupt_start()  # it may be restarting just now, and that may hang
        async with container.lock:
            record = container.record
            if record.status == "restarting":
                record.status = "exited"
                self._containers.save_best_effort(container)
                return True
            return interrupted and not record.running

    async def _stop(self, container: EngineContainer, number: int, grace: int, ended: asyncio.Future[int]) -> None:
        record = container.record
        with contextlib.suppress(Conflict):  # it ends just now
            if record.status == "paused":
                await self._freezer.unpause(container)
            self.signal(container, number)
        attributes = container.attributes(signal=str(number))
        self._events.emit("container", "kill", record.id, attributes)
        try:
            await asyncio.wait_for(asyncio.shield(ended), grace if grace >= 0 else None)
        except TimeoutError:
            with contextlib.suppress(Conflict):
                self.signal(container, signal.SIGKILL)
                attributes = container.attributes(signal=str(int(signal.SIGKILL)))
                self._events.emit("container", "kill", record.id, attributes)
            await _wait_for_killed(container, ended)

    async def restart(self, container: EngineContainer, *, name: str = "", grace: int | None = None) -> None:
        """Stop and start a container; `--rm` doesn't remove it in between."""
        container.restarts_in_progress += 1
        try:
            await self.stop(container, name=name, grace=grace)
            await self.start(container)
        finally:
            container.restarts_in_progress -= 1
        self._events.emit("container", "restart", container.id, container.attributes())

    async def remove(self, container: EngineContainer, *, force: bool = False, volumes: bool = False) -> None:
        """Remove a container; `force` kills it first.

        Raises:
            Conflict: It runs.
        """
        record = container.record
        while True:
            if record.running or record.status == "restarting":
                if not force:
                    first = "stop the container before removing or force remove"
                    what = (
                        "paused and must be unpaused first"
                        if record.status == "paused"
                        else f"{record.status}: {first}"
                    )
                    raise Conflict(f'cannot remove container "/{record.name}": container is {what}')
                record.stopped_by_hand = True
                if record.running:
                    with contextlib.suppress(Conflict):  # it has ended meanwhile
                        await self.kill(container, "KILL")
            if force:
                container.interrupt_start()
            # A task of the engine's, because the client may leave and half a removal would stay until the next start.
            if await asyncio.shield(self._tasks.start(self._erase(container, volumes=volumes))):
                break
        self._delays.forget(record.id)

    async def _erase(self, container: EngineContainer, *, volumes: bool) -> bool:
        async with container.lock:
            if container.record.running:
                return False  # it was restarted before this task got the lock
            if container.unclean:
                with contextlib.suppress(PydError, OSError):
                    await self._clean_up.run(container)
            if self._containers.get(container.id) is not None:
                await self._remover.erase(container, volumes=volumes)
            return True


async def _wait_for_killed(container: EngineContainer, ended: asyncio.Future[int]) -> None:
    """Wait for the end of a container that got SIGKILL.

    Raises:
        EngineError: The kernel doesn't end its main process.
    """
    container.interrupt_start()  # the runtime may wait for the process that was killed
    while not ended.done():
        await asyncio.wait({ended}, timeout=KILL_TIMEOUT_S)
        main = container.record.main
        if not ended.done() and main is not None and main.lives:
            raise EngineError(
                f"cannot stop container: {container.id}: tried to kill container, but did not receive an exit event",
                hint="its process waits for a device or a file system, or another program has frozen its cgroup",
            )


def _report(error: Exception) -> None:
    log.error("a task of a container failed", exc_info=error)


def _is_removed_at_end(container: EngineContainer) -> bool:
    """Return whether `--rm` removes a container that has ended: not between the stop and start of a restart."""
    return container.record.host.auto_remove and not container.restarts_in_progress


def _is_missing_file(text: str) -> bool:
    return "executable file not found" in text or "no such file or directory" in text


def _nanoseconds(text: str) -> int:
    return parse_time(text) or 0
