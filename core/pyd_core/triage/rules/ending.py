"""Rules about endings: exits, stops and kills."""

from __future__ import annotations

from pyd_core.humanize import duration, lifetime
from pyd_core.triage.codes import explain_code, signal_name
from pyd_core.triage.error_line import error_line, is_error
from pyd_core.triage.evidence import Case, Item, KillSent, Run
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import (
    KILL,
    ended_with_engine,
    error_item,
    exit_item,
    failed_unasked,
    has_ended,
    kill_item,
    may_have_ended_it,
    quote,
    stop_item,
    stop_signal,
    was_asked_by_record,
    was_asked_to_end,
)
from pyd_core.triage.rules.facts import victim_is_main as is_main
from pyd_core.triage.runs import is_looping

BOOK = RuleBook()

_LOGS = "pyd logs --tail 100 {name}"


@BOOK.rule("clean-exit", needs=("inspect",), says="The run ended with code 0 and the engine wasn't asked to end it.")
def clean_exit(case: Case) -> Conclusion | None:
    """Conclude an exit with code 0."""
    run = case.run
    if not has_ended(case) or run.code != 0 or was_asked_to_end(case) or was_asked_by_record(case):
        return None
    if is_looping(case.container, case.runs, case.now_ns):
        return None  # a container that keeps exiting and being restarted isn't meant to exit
    return Conclusion(
        cause="clean-exit",
        confidence=0.97,
        evidence=(exit_item(case),),
        summary=f"exited normally (code 0){_lifetime(run)}",
    )


def _lifetime(run: Run) -> str:
    return f" {lifetime(run.seconds)}" if run.seconds is not None else ""


def _reported_error(case: Case) -> str:
    """Return the error line of the output, or else the meaning of a code that has one."""
    line = error_line(case.lines or ())
    if line is not None:
        return f'; the last {"error line" if is_error(line) else "line of output"} says "{quote(line.text)}"'
    return "" if case.run.code in {1, None} else f" ({explain_code(case.run.code or 0).title})"


def _error_reason(case: Case) -> str:
    """Return the error line of the output, or else the code and its meaning."""
    line = error_line(case.lines or ())
    if line is not None and is_error(line):
        return quote(line.text)
    return f"exit code {case.run.code}{_reported_error(case)}"


@BOOK.rule(
    "app-error",
    needs=("inspect", "events"),
    says="The program exited with a code below 126 (or 255), which programs choose themselves.",
)
def app_error(case: Case) -> Conclusion | None:
    """Conclude an exit with an error code."""
    run = case.run
    if not failed_unasked(case) or run.code is None:
        return None
    own = run.code < 126 or run.code > 192
    error = error_item(case)
    return Conclusion(
        cause="app-error",
        confidence=0.9 if own else 0.3,
        evidence=(*((error,) if error is not None else ()), exit_item(case)),
        summary=f"exited with code {run.code}{_lifetime(run)}{_reported_error(case)}",
        reason=_error_reason(case),
        advice=(_LOGS, "pyd debug {name}"),
    )


@BOOK.rule(
    "usage-error",
    needs=("log",),
    says="Code 1, 2, 64 or 125 soon after the start, and output that rejects an option or shows the usage.",
)
def usage_error(case: Case) -> Conclusion | None:
    """Conclude a call with wrong arguments."""
    if not failed_unasked(case) or case.run.code not in {1, 2, 64, 125} or (case.run.seconds or 0) > 5:
        return None
    findings = case.findings_of("usage-error")
    if not findings:
        return None
    return Conclusion(
        cause="usage-error",
        confidence=0.85 if case.run.code in {2, 64} else 0.7,
        evidence=(exit_item(case), findings[0].item),
        summary=f"exited with code {case.run.code} because it was called with wrong arguments",
        reason=quote(findings[0].line.text),
        advice=("pyd inspect -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}}' {name}",),
    )


@BOOK.rule(
    "stopped",
    needs=("events",),
    says="The engine sent the stop signal and reported a stop; no SIGKILL was needed, or SIGKILL is the stop signal.",
)
def stopped(case: Case) -> Conclusion | None:
    """Conclude a stop within the grace period."""
    run = case.run
    if not has_ended(case) or run.stop_ns is None or ended_with_engine(case):
        return None
    by_kill = stop_signal(case) == KILL or (run.complete and bool(run.kills) and not _first_signal(case))
    if (run.sent(KILL) is not None or run.code == 128 + KILL) and not by_kill:
        return None  # an engine that reports no signals only reported the stop
    first = run.sent(stop_signal(case)) or (run.kills[0] if run.kills else None)
    sent = () if first is None else (kill_item(first),)
    took = (
        ""
        if first is None or run.ended_ns is None
        else f" within {duration(max(0, run.ended_ns - first.time_ns) / 1e9)}"
    )
    return Conclusion(
        cause="stopped",
        confidence=0.97,
        evidence=(*sent, stop_item(case), exit_item(case)),
        summary=f"was stopped on request and exited{took} (code {run.code})",
    )


def _first_signal(case: Case) -> KillSent | None:
    """Return the signal that a stop sent before SIGKILL; None if it started with SIGKILL."""
    kill = case.run.sent(KILL)
    before = [
        sent
        for sent in case.run.kills
        if sent.signal != KILL and may_have_ended_it(case, sent) and (kill is None or sent.time_ns <= kill.time_ns)
    ]
    return before[-1] if before else None


@BOOK.rule(
    "stop-timeout",
    needs=("events",),
    says="The engine sent the stop signal, then SIGKILL, and reported a stop.",
)
def stop_timeout(case: Case) -> Conclusion | None:
    """Conclude a stop that took longer than the grace period."""
    run = case.run
    kill, first = run.sent(KILL), _first_signal(case)
    if not has_ended(case) or run.stop_ns is None or ended_with_engine(case):
        return None
    if kill is None or first is None:
        return _stop_timeout_by_code(case)
    grace = duration((kill.time_ns - first.time_ns) / 1e9)
    name = signal_name(first.signal)
    return Conclusion(
        cause="stop-timeout",
        confidence=0.97,
        evidence=(kill_item(first), kill_item(kill), stop_item(case), exit_item(case)),
        summary=f"didn't stop within {grace} of {name}, so the engine killed it; memory wasn't the reason",
        advice=(
            "pyd run --init … # forwards signals where PID 1 has no handler",
            "pyd stop -t 30 {name} # or stop_grace_period in Compose",
        ),
    )


def _stop_timeout_by_code(case: Case) -> Conclusion | None:
    """Conclude it for an engine that reports stops but not the signals it sends, or has forgotten the first."""
    run = case.run
    signals_known = run.complete and bool(run.kills)
    if run.code != 128 + KILL or stop_signal(case) == KILL or signals_known or case.ooms or run.ooms:
        return None
    return Conclusion(
        cause="stop-timeout",
        confidence=0.8,
        evidence=(stop_item(case), exit_item(case)),
        summary="was asked to stop and exited with SIGKILL's code, so it didn't stop within its grace period",
        advice=("pyd stop -t 30 {name} # or stop_grace_period in Compose",),
    )


@BOOK.rule(
    "killed-by-user",
    needs=("events",),
    says="The engine was asked to send a fatal signal, and the run ended with that signal's code without a stop.",
)
def killed_by_user(case: Case) -> Conclusion | None:
    """Conclude a kill through the engine."""
    run = case.run
    sent = [kill for kill in run.kills if may_have_ended_it(case, kill)]
    if not has_ended(case) or run.stop_ns is not None or not sent or run.ended_ns is None or ended_with_engine(case):
        return None
    last = sent[-1]
    fits = run.code == 128 + last.signal
    is_near = run.ended_ns - last.time_ns < 10 * 10**9
    if not fits and not is_near:
        return None
    first_oom = next((oom for oom in case.ooms if is_main(case, oom)), None)
    if first_oom is not None and first_oom.time_ns < last.time_ns:
        return None
    return Conclusion(
        cause="killed-by-user",
        confidence=0.96 if fits else 0.75,
        evidence=(kill_item(last), exit_item(case)),
        summary=f"was killed through the engine with {signal_name(last.signal)} (kill or rm -f)",
    )


@BOOK.rule(
    "killed-externally",
    needs=("kernel log",),
    says="The code of SIGKILL, SIGTERM, SIGINT, SIGHUP or SIGQUIT; complete events or the engine's own record show "
    "that the engine sent none; and a kernel log that covers the run has no out-of-memory kill.",
)
def killed_externally(case: Case) -> Conclusion | None:
    """Conclude a fatal signal from outside the engine, by exclusion."""
    run = case.run
    if not has_ended(case) or was_asked_to_end(case) or run.signal not in {1, 2, 3, KILL, 15}:
        return None
    if case.ooms or run.ooms or case.container.state.oom_killed or was_asked_by_record(case):
        return None
    engine_sent_none = case.signals_told or case.asked_to_end is False
    name = signal_name(run.signal)
    searched: list[Item] = []
    if case.signals_told:
        searched.append(Item(source="events", text="the engine sent no signal in this run"))
    if case.asked_to_end is False:
        searched.append(Item(source="host", text="the engine's own record has no request to stop or kill this run"))
    if case.kernel_read:
        searched.append(Item(source="kernel log", text="no out-of-memory kill of this container in this run"))
    sender = "the engine didn't send it" if engine_sent_none else "whether through the engine is unknown"
    memory = "the kernel log shows no out-of-memory kill" if case.kernel_read else "memory may be the reason"
    return Conclusion(
        cause="killed-externally",
        confidence=0.85 if engine_sent_none else 0.45,
        evidence=(exit_item(case), *searched),
        summary=f"was killed by {name}, or returned that code itself; {sender}; {memory}",
        reason=f"{name}, not from the engine" if engine_sent_none else f"{name}, sender unknown",
        advice=("journalctl --since '-1h' | grep -iE 'oomd|earlyoom|kill'", _LOGS),
    )


@BOOK.rule(
    "stopped",
    needs=("host",),
    says="The engine's events are lost, its own record shows a request to end the run, and the code isn't SIGKILL's.",
)
def stopped_by_record(case: Case) -> Conclusion | None:
    """Conclude a stop from the engine's own record."""
    if not has_ended(case) or not was_asked_by_record(case) or case.run.code == 128 + KILL:
        return None
    return Conclusion(
        cause="stopped",
        confidence=0.85,
        evidence=(_RECORD, exit_item(case)),
        summary=f"was stopped through the engine and exited with code {case.run.code}",
    )


@BOOK.rule(
    "killed-by-user",
    needs=("host", "events"),
    says="The engine's events are lost, its own record shows a request to end the run, and the code is SIGKILL's.",
)
def killed_by_record(case: Case) -> Conclusion | None:
    """Conclude a kill from the engine's own record."""
    if not has_ended(case) or not was_asked_by_record(case) or case.run.code != 128 + KILL or case.ooms:
        return None
    return Conclusion(
        cause="killed-by-user",
        confidence=0.7,
        evidence=(_RECORD, exit_item(case)),
        summary="was killed through the engine, either directly or because a stop's grace period ran out",
    )


_RECORD = Item(source="host", text="the engine's own record has a request to stop or kill this run")


@BOOK.rule(
    "engine-restart",
    needs=("host",),
    says="The run ended before the engine's daemon started: shortly before, with no event of it remaining and a code "
    "that a stop causes; or through a stop for which the engine's own record has no request. Or the daemon started "
    "during the run and stopped it, because containers don't outlive their daemon there.",
)
def engine_restart(case: Case) -> Conclusion | None:
    """Conclude an end caused by the engine's own."""
    if not ended_with_engine(case) or case.host is None:
        return None
    started = Item(source="host", time_ns=case.host.engine_started_ns, text="the engine's daemon started")
    no_request = Item(source="host", text="the engine's own record has no request to stop or kill this run")
    return Conclusion(
        cause="engine-restart",
        confidence=0.95 if was_asked_to_end(case) else 0.8,
        evidence=(
            *(kill_item(kill) for kill in case.run.kills[:2]),
            exit_item(case),
            *((no_request,) if case.asked_to_end is False else ()),
            started,
        ),
        summary="stopped because the engine stopped or restarted",
        advice=("pyd start {name}", "pyd update --restart unless-stopped {name}"),
    )
