"""The verdicts on containers with problems, requested in the background and kept while the container's run lasts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from pyd_core.errors import NotFound, PydError
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_info import ContainerInfo

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.triage.verdict import Verdict

Run = tuple[str, str, int | None, int | None, int, int | None]
"""The facts that a verdict holds for: state, health, start, end, restarts and out-of-memory event of a container."""
RELOOK_S = 30.0
"""Seconds after which a container that keeps restarting is looked at again; its verdict stays until then."""
SURVIVAL_S = 61.0
"""Seconds of life after which triage no longer counts a run to a restart loop, plus one."""
EXIT_GRACE_S = 1.0
"""Seconds after which a container that is still exited isn't between two runs of a loop."""
NOTIFY_DELAY_S = 0.05
"""Seconds in which verdicts are collected before the listener is called."""
MAX_NOTIFY_DELAY_S = 2.0
_ENDLESS_POLICIES = frozenset({"always", "unless-stopped", "on-failure"})
OnVerdict = Callable[[str, Run, "Verdict | PydError"], None]


def continues(run: Run, entry: ContainerInfo) -> bool:
    """Return whether a container's present state belongs to the restart loop that an earlier run was part of.

    Such a container alternates between running, exited and restarting within seconds, and is broken all the time.
    """
    return (
        entry.restart_policy in _ENDLESS_POLICIES
        and 0 < entry.restart_count >= run[4]
        and entry.state in {"running", "restarting", "exited"}
    )


def run_of(entry: ContainerInfo) -> Run:
    """Return the facts that a verdict on a container holds for."""
    return (entry.state, entry.health, entry.started_ns, entry.finished_ns, entry.restart_count, entry.oom_ns)


class VerdictCache:
    """Asks triage about containers, one after another, and keeps each answer until the container's run changes.

    On a local engine triage runs in a thread with a connection of its own, because it reads the kernel log, cgroups
    and files there. On others it only asks the engine, and stays on the event loop.

    A container that keeps restarting has its verdict for `RELOOK_S`, so neither the list nor the count of broken ones
    follows each of its runs.

    Args:
        engine: Returns the engine, None while there is none.
        entry: Returns what is known of a container now; None once it is removed.
    """

    def __init__(self, engine: Callable[[], Provider | None], entry: Callable[[str], ContainerInfo | None]) -> None:
        self._engine = engine
        self._entry = entry
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._exit_checks: dict[str, asyncio.TimerHandle] = {}
        self._stored_at: dict[str, float] = {}
        self._notification: asyncio.TimerHandle | None = None
        self._notify_delay_s = NOTIFY_DELAY_S
        self._tasks = TaskOwner(self._failed)
        self._verdicts: dict[str, tuple[Run, Verdict | PydError]] = {}
        self._queued: dict[str, Run] = {}
        self._pending: dict[str, Run] = {}
        self._ended = threading.Event()
        self.on_verdict: Callable[[], None] = lambda: None

    def answer(self, entry: ContainerInfo) -> Verdict | PydError | None:
        """Return the verdict on a container's current run or restart loop, or the error; None before either."""
        known = self._verdicts.get(entry.id)
        if known is None:
            return None
        run, answer = known
        return answer if run == run_of(entry) or self._is_loop(run, answer, entry) else None

    def of(self, entry: ContainerInfo) -> Verdict | None:
        """Return the verdict on a container's current run or restart loop, if there is one."""
        answer = self.answer(entry)
        return None if isinstance(answer, PydError) else answer

    @staticmethod
    def _is_loop(run: Run, answer: Verdict | PydError, entry: ContainerInfo) -> bool:
        return not isinstance(answer, PydError) and answer.broken and continues(run, entry)

    def request(self, entries: Iterable[ContainerInfo]) -> None:
        """Request verdicts on containers whose current run has none yet; return immediately."""
        for entry in entries:
            run, known = run_of(entry), self._verdicts.get(entry.id)
            pending = self._pending.get(entry.id)
            # A loop's runs may be shorter than triage takes: the verdict on the first of them holds for all.
            is_pending = pending is not None and (pending == run or continues(pending, entry))
            if not entry.detailed or is_pending or (known is not None and known[0] == run):
                continue
            if known is not None and self._is_loop(*known, entry) and self._relook_later(entry):
                continue
            self._queued[entry.id] = self._pending[entry.id] = run
        self._start()

    def _enqueue(self, entry: ContainerInfo) -> None:
        self._queued[entry.id] = self._pending[entry.id] = run_of(entry)
        self._start()

    def _start(self) -> None:
        if self._queued and not len(self._tasks) and self._engine() is not None:
            self._tasks.start(self._work(), name="verdicts")

    def _relook_later(self, entry: ContainerInfo) -> bool:
        """Return whether the verdict on a restart loop is still new enough; if so, look again once it isn't.

        A container that stays exited was stopped, which ends the loop.
        """
        identity = entry.id
        if entry.state == "exited":
            if identity not in self._exit_checks:
                loop = asyncio.get_running_loop()
                self._exit_checks[identity] = loop.call_later(EXIT_GRACE_S, self._check_exit, identity)
            return True
        remaining_s = self._stored_at.get(identity, 0.0) + RELOOK_S - asyncio.get_running_loop().time()
        if remaining_s <= 0:
            return False
        self._look_in(identity, remaining_s)
        return True

    def _check_exit(self, identity: str) -> None:
        self._exit_checks.pop(identity, None)
        if (entry := self._entry(identity)) is not None and entry.state == "exited":
            self._look_again(identity)

    def _look_in(self, identity: str, delay_s: float) -> None:
        if (timer := self._timers.pop(identity, None)) is not None:
            timer.cancel()
        self._timers[identity] = asyncio.get_running_loop().call_later(delay_s, self._look_again, identity)

    def _look_again(self, identity: str) -> None:
        self._timers.pop(identity, None)
        self._stored_at.pop(identity, None)
        entry = self._entry(identity)
        if entry is not None and identity in self._verdicts and self._pending.get(identity) != run_of(entry):
            self._enqueue(entry)  # the known verdict is shown until the new one is there

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the verdicts on removed containers."""
        for identity in ids:
            for table in (self._verdicts, self._queued, self._pending, self._stored_at):
                table.pop(identity, None)
            for timers in (self._timers, self._exit_checks):
                if (timer := timers.pop(identity, None)) is not None:
                    timer.cancel()

    def refresh(self, entry: ContainerInfo) -> None:
        """Request a new verdict: what couldn't be read may be readable now."""
        self.forget([entry.id])
        self.request([entry])

    async def aclose(self) -> None:
        """Close it; a thread that waits for the engine is left behind and does no harm."""
        self._ended.set()
        for timer in (*self._timers.values(), *self._exit_checks.values(), *filter(None, (self._notification,))):
            timer.cancel()
        await self._tasks.aclose()

    async def _work(self) -> None:
        while self._queued and (engine := self._engine()) is not None:
            batch, self._queued = list(self._queued.items()), {}
            if engine.endpoint.is_local:
                await self._judge_in_thread(engine, batch)
            else:
                await _judge(engine, batch, self._store, self._ended.is_set)

    async def _judge_in_thread(self, engine: Provider, batch: list[tuple[str, Run]]) -> None:
        """Ask triage in a daemon thread: quitting must never wait for an engine."""
        from pyd_core.client.transport.blocking import blocking_engine, run_now  # noqa: PLC0415 - on first use

        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def publish(identity: str, run: Run, answer: Verdict | PydError) -> None:
            loop.call_soon_threadsafe(self._store, identity, run, answer)

        def end(error: Exception | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        def work() -> None:
            failure: Exception | None = None
            try:
                run_now(_judge_and_close(blocking_engine(engine.endpoint), batch, publish, self._ended.is_set))
            except Exception as error:  # noqa: BLE001 - handed to the loop, where it is reported
                failure = error
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(end, failure)

        threading.Thread(target=work, name="verdicts", daemon=True).start()
        await done

    def _store(self, identity: str, run: Run, answer: Verdict | PydError) -> None:
        if self._pending.get(identity) == run and not self._ended.is_set():
            del self._pending[identity]
            self._verdicts[identity] = (run, answer)
            self._stored_at[identity] = asyncio.get_running_loop().time()
            if not isinstance(answer, PydError) and answer.broken and run[0] == "running" and run[4]:
                self._look_in(identity, SURVIVAL_S)  # the loop may be over by then, without another event
            if self._notification is None:
                self._notification = asyncio.get_running_loop().call_later(self._notify_delay_s, self._notify)

    def _notify(self) -> None:
        self._notification = None
        begun_s = time.monotonic()
        self.on_verdict()
        # A list of thousands takes long to update: it may take a tenth of the time at most.
        self._notify_delay_s = max(NOTIFY_DELAY_S, min(MAX_NOTIFY_DELAY_S, 10 * (time.monotonic() - begun_s)))

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        for identity, run in self._pending.items():
            self._verdicts[identity] = (run, known)
        self._pending.clear()
        self._queued.clear()
        self.on_verdict()


async def _judge(
    engine: Provider, batch: list[tuple[str, Run]], on_verdict: OnVerdict, ended: Callable[[], bool]
) -> None:
    """Ask triage about some containers; shared evidence (the kernel log, the engine's events) is read once."""
    from pyd_core.triage.api import explain  # noqa: PLC0415 - forty rules, loaded on first use
    from pyd_core.triage.collect.gather import SharedEvidence  # noqa: PLC0415 - on first use

    shared = await SharedEvidence.of(engine, all_events=len(batch) > 1)
    for identity, run in batch:
        if ended():
            return
        try:
            on_verdict(identity, run, await explain(engine, identity, shared=shared))
        except NotFound:
            continue
        except PydError as error:
            on_verdict(identity, run, error)


async def _judge_and_close(
    engine: Provider, batch: list[tuple[str, Run]], on_verdict: OnVerdict, ended: Callable[[], bool]
) -> None:
    async with engine:
        await _judge(engine, batch, on_verdict, ended)
