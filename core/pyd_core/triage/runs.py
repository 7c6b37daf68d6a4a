"""A container's runs, from the engine's events and, for the last one, inspect."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pyd_core.model.container import Container
from pyd_core.model.event import Event
from pyd_core.triage.codes import signal_number
from pyd_core.triage.evidence import KillSent, Run

LATE_NS = 3_000_000_000
"""`stop` and `oom` are reported shortly before or after `die`."""

BETWEEN_NS = 5_000_000_000
"""Maximum pause between two runs of a loop in which its state may not show it."""

LOOP_DEATHS = 3
"""This many deaths within `LOOP_WINDOW_NS` make a restart loop."""
LOOP_WINDOW_NS = 10 * 60 * 1_000_000_000
YOUNG_NS = 60 * 1_000_000_000
"""A run younger than this after repeated deaths hasn't shown that the loop is over."""


class _Draft:
    def __init__(self, started: int | None, *, complete: bool) -> None:
        self.started = started
        self.complete = complete
        self.ended: int | None = None
        self.code: int | None = None
        self.stop: int | None = None
        self.kills: list[KillSent] = []
        self.ooms: list[int] = []

    def run(self) -> Run:
        return Run(
            started_ns=self.started,
            ended_ns=self.ended,
            code=self.code,
            kills=tuple(self.kills),
            stop_ns=self.stop,
            ooms=tuple(self.ooms),
            complete=self.complete,
        )


def runs_of(events: Iterable[Event]) -> tuple[Run, ...]:
    """Return the runs in a container's events, oldest first; the first may lack its start."""
    drafts: list[_Draft] = []
    for event in sorted(events, key=lambda event: event.time_nano):
        time = event.time_nano
        last = drafts[-1] if drafts else None
        if event.verb == "start":
            drafts.append(_Draft(time, complete=True))
            continue
        if event.verb not in {"kill", "oom", "stop", "die", "died"}:
            continue
        late = last is not None and last.ended is not None and time - last.ended > LATE_NS
        if last is None or (late and event.verb != "stop"):
            last = _Draft(None, complete=False)
            drafts.append(last)
        _note(last, event, time)
    return tuple(draft.run() for draft in drafts)


def _note(draft: _Draft, event: Event, time: int) -> None:
    attributes = event.actor.attributes
    match event.verb:
        case "kill":
            number = signal_number(attributes.get("signal", ""))
            if number is not None and draft.ended is None:
                draft.kills.append(KillSent(signal=number, time_ns=time))
        case "oom":
            draft.ooms.append(time)
        case "stop":
            draft.stop = time
        case _:
            draft.ended = time
            code = attributes.get("exitCode") or attributes.get("containerExitCode") or ""
            draft.code = int(code) if code.lstrip("-").isdigit() else None


def judged_run(container: Container, runs: tuple[Run, ...], now_ns: int) -> Run:
    """Return the run that a verdict is about.

    That is the present one, or the last ended one if the container has exited, waits for a restart, or has just been
    restarted after repeated deaths. Inspect decides on times and code; events add the causes.
    """
    state = container.state
    if not state.running and not state.restarting and (state.started_ns is None or state.status == "created"):
        return Run(complete=True)
    lives = (state.running or state.paused) and not state.restarting  # engines say both of one that waits for a restart
    if lives and not is_looping(container, runs, now_ns):
        live = runs[-1] if runs and runs[-1].alive else Run()
        return msgspec.structs.replace(live, started_ns=state.started_ns, ended_ns=None, code=None)
    died = [run for run in runs if not run.alive]
    if lives:
        return died[-1] if died else Run(started_ns=None, ended_ns=state.finished_ns, code=None)
    last = died[-1] if died else (runs[-1] if runs else Run())
    started, finished = state.started_ns, state.finished_ns
    if started is not None and finished is not None and finished < started:
        # The engine stamps the start after the process began: one that ended at once "ended before it started".
        started = last.started_ns if last.started_ns is not None and last.started_ns <= finished else finished
    if last.ended_ns is not None and finished is not None and abs(last.ended_ns - finished) > 60 * 10**9:
        last = Run()
    return msgspec.structs.replace(
        last, started_ns=started, ended_ns=finished if finished is not None else last.ended_ns, code=state.exit_code
    )


def recent_deaths(runs: tuple[Run, ...], now_ns: int) -> list[Run]:
    """Return the runs that ended within the loop window without a request to stop."""
    return [
        run
        for run in runs
        if run.ended_ns is not None and run.stop_ns is None and now_ns - run.ended_ns <= LOOP_WINDOW_NS
    ]


def is_looping(container: Container, runs: tuple[Run, ...], now_ns: int) -> bool:
    """Return whether it keeps exiting and being restarted."""
    state = container.state
    policy = container.host_config.restart_policy.name
    if policy in {"", "no"}:
        return False
    deaths = max(len(recent_deaths(runs, now_ns)), container.restart_count)
    if deaths < LOOP_DEATHS:
        return False
    if state.restarting:
        return True
    if not state.running or state.paused:
        # Docker Engine says `restarting` between two runs; Podman says `exited`, for a moment.
        just_now = state.finished_ns is not None and now_ns - state.finished_ns < BETWEEN_NS
        was_requested = bool(runs) and (runs[-1].stop_ns is not None or bool(runs[-1].kills))
        return (policy == "on-failure" and state.exit_code != 0) or (just_now and not was_requested)
    return state.started_ns is not None and now_ns - state.started_ns < YOUNG_NS
