"""Rules about memory: limits of the container, the machine and the program."""

from __future__ import annotations

import re

from pyd_core.humanize import size
from pyd_core.triage.evidence import Case, Evidence, Item
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import (
    KILL,
    exit_item,
    failed_unasked,
    has_ended,
    is_failing,
    oom_item,
    victim_is_main,
    was_asked_by_record,
    was_asked_to_end,
)

BOOK = RuleBook()

MIN_NEAR_SHARE = 0.9
"""The share of the limit from which a container counts as near it."""


_MEMORY_LIMITS = frozenset({"as", "data", "rss", "memlock"})


def _engine_ooms(case: Case) -> tuple[Item, ...]:
    return tuple(
        Item(source="events", time_ns=time, text="oom: the engine reported an out-of-memory kill")
        for time in case.run.ooms
    )


def _raise_limit(case: Case) -> tuple[str, ...]:
    limit = case.limit
    if limit is None:
        return ("pyd stats {name}",)
    doubled = f"{max(1, limit * 2 // 2**20)}m"
    return (f"pyd update --memory {doubled} --memory-swap {doubled} {{name}}", "pyd stats {name}")


@BOOK.rule(
    "oom-killed",
    needs=("kernel log",),
    says="The kernel log names this container's cgroup and its first process as the victim, just before the end; or, "
    "if the kernel log can't be read, the engine reported an oom just before an end with SIGKILL's code and sent no "
    "SIGKILL itself; or, if the engine's events are lost too, its OOM flag is set and it wasn't asked to end the run.",
)
def oom_killed(case: Case) -> Conclusion | None:
    """Conclude an out-of-memory kill of the main process."""
    run = case.run
    if not has_ended(case) or run.code != 128 + KILL:
        return None
    sent = run.sent(KILL)
    for oom in case.ooms:
        before = sent is None or oom.time_ns <= sent.time_ns
        if victim_is_main(case, oom) and not oom.whole_machine and before:
            used = size(oom.anon_bytes)
            limit = oom.limit_bytes or case.limit
            of_limit = f" (limit {size(limit)})" if limit else ""
            return Conclusion(
                cause="oom-killed",
                confidence=0.98,
                evidence=(oom_item(oom), *_engine_ooms(case), exit_item(case)),
                summary=f"ran out of memory{of_limit}; the kernel killed {oom.name}, which used {used}",
                reason=f"out of memory{of_limit}",
                advice=_raise_limit(case),
            )
    if case.kernel_read or was_asked_to_end(case) or run.ended_ns is None:
        return None
    if not run.ooms:
        return _by_flag(case)
    if run.ended_ns - max(run.ooms) > 3_000_000_000:
        return None
    return Conclusion(
        cause="oom-killed",
        confidence=0.85,
        evidence=(*_engine_ooms(case), exit_item(case)),
        summary="most likely ran out of memory and was killed by the kernel; which process it chose isn't known",
        reason=_out_of_memory(case),
        advice=_raise_limit(case),
    )


def _out_of_memory(case: Case) -> str:
    return f"out of memory (limit {size(case.limit)})" if case.limit else "out of memory"


def _by_flag(case: Case) -> Conclusion | None:
    """Conclude it from the engine's flag only, which a kill of any process sets, so it may have been a child's."""
    if case.run.complete or not case.container.state.oom_killed or was_asked_by_record(case):
        return None
    flag = Item(source="inspect", text="the engine's OOM flag is set (any out-of-memory kill in the run sets it)")
    return Conclusion(
        cause="oom-killed",
        confidence=0.55,
        evidence=(flag, exit_item(case)),
        summary="probably ran out of memory and was killed by the kernel; "
        "only the engine's OOMKilled flag is left as evidence",
        reason=_out_of_memory(case),
        advice=_raise_limit(case),
    )


@BOOK.rule(
    "oom-child",
    needs=("kernel log",),
    says="The kernel log names this container's cgroup and a process other than the first as the victim; or the "
    "cgroup, the engine's event or its flag shows a kill in this run and the main process didn't end by SIGKILL.",
)
def oom_child(case: Case) -> Conclusion | None:
    """Conclude an out-of-memory kill of another process than the main one."""
    run = case.run
    victims = [oom for oom in case.ooms if not victim_is_main(case, oom) and not oom.whole_machine]
    if victims:
        oom = victims[-1]
        lived = "the main process survived" if run.alive else f"the main process exited later with code {run.code}"
        return Conclusion(
            cause="oom-child",
            confidence=0.95,
            evidence=(*(oom_item(oom) for oom in victims[-3:]), *_engine_ooms(case)[-3:], *_ending(case)),
            summary=f"reached its memory limit and the kernel killed {oom.name} (pid {oom.pid} on the host); {lived}",
            reason=f"the kernel killed {oom.name}: {_out_of_memory(case)}",
            advice=_raise_limit(case),
        )
    if any(victim_is_main(case, oom) for oom in case.ooms):
        return None
    counted = case.cgroup is not None and bool(case.cgroup.oom_kills)
    if not (counted or run.ooms or case.container.state.oom_killed) or run.code == 137:
        return None
    evidence = list(_engine_ooms(case)[-3:])
    if case.cgroup is not None and counted:
        evidence.append(Item(source="cgroup", text=f"out-of-memory kills in this run: {case.cgroup.oom_kills}"))
    if case.container.state.oom_killed:
        evidence.append(Item(source="inspect", text="the engine's OOM flag is set (any out-of-memory kill sets it)"))
    return Conclusion(
        cause="oom-child",
        confidence=0.8 if counted or run.ooms else 0.5,
        evidence=(*evidence, *_ending(case)),
        summary="reached its memory limit and the kernel killed a process; the main process survived",
        reason=f"the kernel killed a process: {_out_of_memory(case)}",
        advice=_raise_limit(case),
    )


def _ending(case: Case) -> tuple[Item, ...]:
    return (exit_item(case),) if has_ended(case) else ()


@BOOK.rule(
    "oom-host",
    needs=("kernel log",),
    says="The kernel log shows that the machine ran out of memory and names a process of this container as the victim.",
)
def oom_host(case: Case) -> Conclusion | None:
    """Conclude that the machine ran out of memory."""
    for oom in reversed(case.ooms):
        if oom.whole_machine:
            return Conclusion(
                cause="oom-host",
                confidence=0.97,
                evidence=(oom_item(oom), *((exit_item(case),) if has_ended(case) else ())),
                summary=f"lost {oom.name}: the machine ran out of memory and the kernel killed it",
                advice=("pyd stats", "free -h"),
            )
    return None


@BOOK.rule(
    "app-heap-exhausted",
    needs=("log",),
    says="It failed on its own and its runtime (JVM, Node, Go, .NET) reports a full heap; the kernel killed nothing.",
)
def app_heap_exhausted(case: Case) -> Conclusion | None:
    """Conclude that the runtime's heap limit was reached."""
    findings = case.findings_of("app-heap-exhausted")
    if not is_failing(case) or not findings or case.ooms:
        return None
    return Conclusion(
        cause="app-heap-exhausted",
        confidence=findings[0].strength,
        evidence=(findings[0].item, *((exit_item(case),) if has_ended(case) else ())),
        summary="reached the heap limit of its runtime; the kernel killed nothing",
        advice=("pyd inspect -f '{{json .Config.Env}} {{json .Config.Cmd}}' {name} # heap options",),
    )


@BOOK.rule(
    "memory-rlimit",
    needs=("log",),
    says="It failed on its own and reports a failed allocation; more certain with a ulimit on address space or data.",
)
def memory_rlimit(case: Case) -> Conclusion | None:
    """Conclude that a ulimit refused an allocation."""
    findings = case.findings_of("memory-rlimit")
    ulimits = case.container.host_config.ulimits
    limits = [limit for limit in ulimits if limit.name.removeprefix("RLIMIT_").lower() in _MEMORY_LIMITS]
    if not failed_unasked(case) or not findings or case.ooms:
        return None
    if not limits:
        return _refused_without_ulimit(case, findings[0])
    words = ", ".join(f"{limit.name}={limit.soft}" for limit in limits)
    return Conclusion(
        cause="memory-rlimit",
        confidence=0.85,
        evidence=(findings[0].item, Item(source="inspect", text=f"ulimits {words}"), exit_item(case)),
        summary=f"couldn't allocate memory because of a resource limit ({words})",
        advice=("pyd inspect -f '{{json .HostConfig.Ulimits}}' {name}",),
    )


_REFUSED = re.compile(r"MemoryError|bad_alloc|(?:cannot|can't) allocate|ENOMEM", re.IGNORECASE)
"""Texts about an allocation that the kernel refused; `out of memory` may also be about a GPU's memory."""


def _refused_without_ulimit(case: Case, finding: Evidence) -> Conclusion | None:
    """Conclude another limit, possibly set in the container: its memory limit kills but never refuses."""
    if not _REFUSED.search(finding.line.text):
        return None
    return Conclusion(
        cause="memory-rlimit",
        confidence=0.65,
        evidence=(finding.item, exit_item(case)),
        summary="couldn't allocate memory: its address space is limited, possibly in its start script, or the host's "
        "overcommit setting refuses",
        advice=("pyd debug {name} -c 'grep -rn ulimit /etc /*.sh; cat /proc/sys/vm/overcommit_memory'",),
    )


@BOOK.rule("memory-near-limit", needs=("cgroup",), says="It runs and uses at least nine tenths of its memory limit.")
def memory_near_limit(case: Case) -> Conclusion | None:
    """Conclude that it is close to its memory limit."""
    group = case.cgroup
    if not case.run.alive or group is None or not group.memory_limit or group.memory_bytes is None:
        return None
    if case.limit is None or group.memory_bytes < group.memory_limit * MIN_NEAR_SHARE:
        return None
    share = group.memory_bytes / group.memory_limit
    text = f"memory {size(group.memory_bytes)} of {size(group.memory_limit)}"
    return Conclusion(
        cause="memory-near-limit",
        confidence=0.9,
        evidence=(Item(source="cgroup", time_ns=case.now_ns, text=text),),
        summary=f"uses {share:.0%} of its memory limit",
        reason=f"memory {size(group.memory_bytes)} of {size(group.memory_limit)}",
        advice=_raise_limit(case),
    )
