"""Rules about faults, for which the kernel ends a process."""

from __future__ import annotations

from pyd_core.linux.kernel_events import Fault
from pyd_core.triage.codes import signal_name
from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import exit_item, failed_unasked, has_ended

BOOK = RuleBook()

ABORT, SEGV, BUS, FPE, ILL, TRAP, SYS = 6, 11, 7, 8, 4, 5, 31

_KINDS: dict[int, tuple[str, ...]] = {
    SEGV: ("segfault", "general protection"),
    FPE: ("divide error", "floating point"),
    ILL: ("invalid opcode", "illegal instruction", "undefined instruction"),
}


def _fault(case: Case, signal: int) -> Fault | None:
    kinds = _KINDS.get(signal, ())
    return next((fault for fault in reversed(case.faults) if any(kind in fault.kind for kind in kinds)), None)


def _conclude(case: Case, cause: str, signal: int, description: str) -> Conclusion | None:
    """Conclude a fault: certain with the kernel's line, likely with the program's output, else from its code only.

    A program can also choose to return that code, so it proves little. Kernels log no line for aborts and bus errors.
    """
    if not has_ended(case) or case.run.code != 128 + signal or case.run.sent(signal) is not None:
        return None
    fault = _fault(case, signal)
    findings = case.findings_of(cause)
    evidence = [exit_item(case)]
    confidence = 0.6
    where = ""
    if fault is not None:
        confidence = 0.97
        evidence.insert(0, Item(source="kernel log", time_ns=fault.time_ns, text=fault.text))
        where = f" in {fault.where}" if fault.where else ""
    elif findings:
        confidence = 0.85
        evidence.append(findings[0].item)
    elif signal in _KINDS and case.kernel_read:
        confidence = 0.5
        evidence.append(Item(source="kernel log", text="no fault of this program is logged"))
    return Conclusion(
        cause=cause,
        confidence=confidence,
        evidence=tuple(evidence),
        summary=f"{description}{where} ({signal_name(signal)})",
        reason=f"{cause.replace('-', ' ')}{where} ({signal_name(signal)})",
        advice=("pyd logs --tail 100 {name}", "pyd debug {name}"),
    )


@BOOK.rule(
    "segfault",
    needs=("kernel log",),
    says="Code 139 with the kernel's segfault or protection-fault line of that program.",
)
def segfault(case: Case) -> Conclusion | None:
    """Conclude a segmentation fault."""
    if _aborted_as_first(case):
        return None
    return _conclude(case, "segfault", SEGV, "crashed with a segmentation fault")


@BOOK.rule(
    "abort",
    needs=("log",),
    says="Code 134; or code 139 with a protection fault and output that names a failed check: the result of abort() in "
    "PID 1, where SIGABRT without a handler is ignored.",
)
def abort(case: Case) -> Conclusion | None:
    """Conclude an abort."""
    if _aborted_as_first(case):
        fault = _fault(case, SEGV)
        shown = () if fault is None else (Item(source="kernel log", time_ns=fault.time_ns, text=fault.text),)
        return Conclusion(
            cause="abort",
            confidence=0.85,
            evidence=(case.findings_of("abort")[0].item, *shown, exit_item(case)),
            summary="aborted (as PID 1 it can't be ended by SIGABRT, so the C library crashed it with code 139)",
            advice=("pyd logs --tail 100 {name}",),
        )
    return _conclude(case, "abort", ABORT, "aborted")


def _aborted_as_first(case: Case) -> bool:
    if not has_ended(case) or case.run.code != 128 + SEGV or not case.findings_of("abort"):
        return False
    fault = _fault(case, SEGV)
    return fault is not None and fault.kind.startswith("general protection")


@BOOK.rule("bus-error", needs=("log",), says="Code 135; kernels log no line for it.")
def bus_error(case: Case) -> Conclusion | None:
    """Conclude a bus error."""
    return _conclude(case, "bus-error", BUS, "crashed with a bus error: a mapped file was cut, or /dev/shm is full")


@BOOK.rule("arithmetic-fault", needs=("kernel log",), says="Code 136 with the kernel's divide-error line.")
def arithmetic_fault(case: Case) -> Conclusion | None:
    """Conclude an arithmetic error."""
    return _conclude(case, "arithmetic-fault", FPE, "crashed on an arithmetic error")


@BOOK.rule("illegal-instruction", needs=("kernel log",), says="Code 132 with the kernel's invalid-opcode line.")
def illegal_instruction(case: Case) -> Conclusion | None:
    """Conclude an unsupported instruction."""
    return _conclude(case, "illegal-instruction", ILL, "crashed on an instruction that the processor doesn't support")


@BOOK.rule("seccomp-kill", needs=("kernel log",), says="Code 159, certain with the kernel's seccomp audit record.")
def seccomp_kill(case: Case) -> Conclusion | None:
    """Conclude a kill by the seccomp filter."""
    if not failed_unasked(case) or case.run.code != 128 + SYS:
        return None
    record = case.seccomp[-1] if case.seccomp else None
    shown = () if record is None else (Item(source="kernel log", time_ns=record.time_ns, text=record.text),)
    call = "" if record is None else f" (number {record.syscall})"
    return Conclusion(
        cause="seccomp-kill",
        confidence=0.6 if record is None else 0.97,
        evidence=(*shown, exit_item(case)),
        summary=f"was killed for a system call{call} that its seccomp profile forbids",
        advice=("pyd inspect -f '{{json .HostConfig.SecurityOpt}}' {name}",),
    )
