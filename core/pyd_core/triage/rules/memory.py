"""Memory: the container's limit, the machine's memory, the program's own limits."""

from __future__ import annotations

import re

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
from pyd_core.triage.units import size

BOOK = RuleBook()

MIN_NEAR_SHARE = 0.9
"""The share of the limit above which a container counts as near it."""


_MEMORY_LIMITS = frozenset({"as", "data", "rss", "memlock"})


def _engine_ooms(case: Case) -> tuple[Item, ...]:
    return tuple(
        Item(source="events", time_ns=time, text="oom: the engine saw an out-of-memory kill in it")
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
    "where the kernel log can't be read, the engine reported an oom just before the end with the code of SIGKILL "
    "and sent no SIGKILL itself; or, where its events are forgotten too, its flag says so and it wasn't asked to end "
    "it.",
)
def oom_killed(case: Case) -> Conclusion | None:
    """The main process was killed for memory."""
    run = case.run
    if not has_ended(case) or run.code != 128 + KILL:
        return None
    sent = run.sent(KILL)
    for oom in case.ooms:
        before = sent is None or oom.time_ns <= sent.time_ns
        if victim_is_main(case, oom) and not oom.whole_machine and before:
            used = size(oom.anon_bytes)
            limit = oom.limit_bytes or case.limit
            of = f" of its limit of {size(limit)}" if limit else ""
            return Conclusion(
                cause="oom-killed",
                confidence=0.98,
                evidence=(oom_item(oom), *_engine_ooms(case), exit_item(case)),
                summary=f"was killed by the kernel for want of memory: {oom.name} used {used}{of}",
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
        summary="was most likely killed by the kernel for want of memory; which process it chose can't be seen",
        advice=_raise_limit(case),
    )


def _by_flag(case: Case) -> Conclusion | None:
    """Nothing but the engine's flag is left: it is set by a kill of any process, so it may have been a child's."""
    if case.run.complete or not case.container.state.oom_killed or was_asked_by_record(case):
        return None
    flag = Item(source="inspect", text="the engine's OOM flag is set (any kill for memory in the run sets it)")
    return Conclusion(
        cause="oom-killed",
        confidence=0.55,
        evidence=(flag, exit_item(case)),
        summary="was probably killed by the kernel for want of memory: the engine's flag is all that still tells",
        advice=_raise_limit(case),
    )


@BOOK.rule(
    "oom-child",
    needs=("kernel log",),
    says="The kernel log names this container's cgroup and another process than the first as the victim; or the "
    "cgroup, the engine's event or its flag counts a kill in this run and the main process didn't end by SIGKILL.",
)
def oom_child(case: Case) -> Conclusion | None:
    """Another process was killed for memory; the main one lived on."""
    run = case.run
    victims = [oom for oom in case.ooms if not victim_is_main(case, oom) and not oom.whole_machine]
    if victims:
        oom = victims[-1]
        lived = "the main process lives on" if run.alive else f"the main process ended later with code {run.code}"
        return Conclusion(
            cause="oom-child",
            confidence=0.95,
            evidence=(*(oom_item(oom) for oom in victims[-3:]), *_engine_ooms(case)[-3:], *_ending(case)),
            summary=f"lost {oom.name} (pid {oom.pid} on the host) to its memory limit; {lived}",
            advice=_raise_limit(case),
        )
    if any(victim_is_main(case, oom) for oom in case.ooms):
        return None
    counted = case.cgroup is not None and bool(case.cgroup.oom_kills)
    if not (counted or run.ooms or case.container.state.oom_killed) or run.code == 137:
        return None
    evidence = list(_engine_ooms(case)[-3:])
    if case.cgroup is not None and counted:
        evidence.append(Item(source="cgroup", text=f"processes killed for memory in this run: {case.cgroup.oom_kills}"))
    if case.container.state.oom_killed:
        evidence.append(Item(source="inspect", text="the engine's OOM flag is set (it stays set after any such kill)"))
    return Conclusion(
        cause="oom-child",
        confidence=0.8 if counted or run.ooms else 0.5,
        evidence=(*evidence, *_ending(case)),
        summary="lost a process to its memory limit; the main process lived on",
        advice=_raise_limit(case),
    )


def _ending(case: Case) -> tuple[Item, ...]:
    return (exit_item(case),) if has_ended(case) else ()


@BOOK.rule(
    "oom-host",
    needs=("kernel log",),
    says="The kernel log says the machine as a whole ran out of memory and chose a process of this container.",
)
def oom_host(case: Case) -> Conclusion | None:
    """The machine ran out of memory."""
    for oom in reversed(case.ooms):
        if oom.whole_machine:
            return Conclusion(
                cause="oom-host",
                confidence=0.97,
                evidence=(oom_item(oom), *((exit_item(case),) if has_ended(case) else ())),
                summary=f"lost {oom.name} when the whole machine ran out of memory",
                advice=("pyd stats", "free -h"),
            )
    return None


@BOOK.rule(
    "app-heap-exhausted",
    needs=("log",),
    says="It ended by itself and its runtime (JVM, Node, Go, .NET) says its own heap is full; no kill by the kernel.",
)
def app_heap_exhausted(case: Case) -> Conclusion | None:
    """The runtime's own heap limit."""
    findings = case.findings_of("app-heap-exhausted")
    if not is_failing(case) or not findings or case.ooms:
        return None
    return Conclusion(
        cause="app-heap-exhausted",
        confidence=findings[0].strength,
        evidence=(findings[0].item, *((exit_item(case),) if has_ended(case) else ())),
        summary="reached the heap limit of its own runtime; the kernel killed nothing",
        advice=("pyd inspect -f '{{json .Config.Env}} {{json .Config.Cmd}}' {name} # heap options",),
    )


@BOOK.rule(
    "memory-rlimit",
    needs=("log",),
    says="It ended by itself and says that an allocation failed; surer with a ulimit on its address space or data.",
)
def memory_rlimit(case: Case) -> Conclusion | None:
    """A ulimit refused memory."""
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
        summary=f"was refused memory by a resource limit ({words})",
        advice=("pyd inspect -f '{{json .HostConfig.Ulimits}}' {name}",),
    )


_REFUSED = re.compile(r"MemoryError|bad_alloc|(?:cannot|can't) allocate|ENOMEM", re.IGNORECASE)
"""Words of an allocation that the kernel refused; a program's `out of memory` may be about any memory, a GPU's too."""


def _refused_without_ulimit(case: Case, finding: Evidence) -> Conclusion | None:
    """A container's memory limit kills and refuses nothing, so another limit did, set from within perhaps."""
    if not _REFUSED.search(finding.line.text):
        return None
    return Conclusion(
        cause="memory-rlimit",
        confidence=0.65,
        evidence=(finding.item, exit_item(case)),
        summary="was refused memory: a limit on its address space, set in its start script perhaps, or the host's "
        "overcommit setting",
        advice=("pyd debug {name} -c 'grep -rn ulimit /etc /*.sh; cat /proc/sys/vm/overcommit_memory'",),
    )


@BOOK.rule("memory-near-limit", needs=("cgroup",), says="It lives and uses at least nine tenths of its memory limit.")
def memory_near_limit(case: Case) -> Conclusion | None:
    """Nearly out of memory."""
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
        advice=_raise_limit(case),
    )
