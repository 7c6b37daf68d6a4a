"""Rules about failed starts: the engine's message, confirmed by the image."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from pyd_core.triage.evidence import Case, Evidence, Item, Program
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import exit_item, failed_unasked, has_ended

BOOK = RuleBook()

_SUMMARIES: dict[str, str] = {
    "command-not-found": "couldn't start: {subject} isn't in the image",
    "not-executable": "couldn't start: {subject} can't be executed",
    "bad-workdir": "couldn't start: the working directory {subject} can't be used",
    "unknown-user": "couldn't start: the image has no user {subject}",
    "port-conflict": "couldn't start: {subject} is already in use on the engine's host",
    "mount-source-missing": "couldn't start: the mount source {subject} doesn't exist",
    "mount-type-mismatch": "couldn't start: {subject} mounts a file on a directory, or a directory on a file",
    "device-missing": "couldn't start: the host has no device {subject}",
    "network-missing": "couldn't start: the network {subject} doesn't exist",
    "image-not-found": "couldn't start: the image {subject} doesn't exist",
    "no-space": "couldn't start: the engine's disk is full",
    "fd-limit": "couldn't start: its limit on open files is too small for the runtime",
}

_ADVICE: dict[str, tuple[str, ...]] = {
    "command-not-found": ("pyd debug {name} -c 'ls -l /usr/local/bin /usr/bin /bin'",),
    "not-executable": ("pyd debug {name} -c 'ls -l {subject}'",),
    "port-conflict": ("pyd ps --filter publish={port}", "ss -ltnp 'sport = :{port}'"),
    "mount-source-missing": ("mkdir -p {subject}",),
    "mount-type-mismatch": ("stat {subject}",),
    "network-missing": ("pyd network ls",),
    "unknown-user": ("pyd inspect -f '{{.Config.User}}' {name}",),
    "no-space": ("pyd system df", "pyd system prune"),
    "fd-limit": ("pyd inspect -f '{{json .HostConfig.Ulimits}}' {name}",),
}


def _declare(cause: str) -> None:
    @BOOK.rule(cause, needs=("inspect",), says="The engine's message about the failed start says so.")
    def from_engine(case: Case) -> Conclusion | None:
        failure = case.start_failure
        if failure is None or failure.cause != cause:
            return None
        subject = failure.subject or "the requested object"
        evidence = [failure.item]
        if (confirmed := _confirmation(cause, case.program)) is not None:
            evidence.append(confirmed)
        named = {"subject": _quote(subject), "port": _quote(subject.rpartition(":")[2])}
        return Conclusion(
            cause=cause,
            confidence=0.97,
            evidence=tuple(evidence),
            summary=_fill(_SUMMARIES[cause], {"subject": subject}),
            reason=_fill(_SUMMARIES[cause].removeprefix("couldn't start: "), {"subject": subject}),
            advice=tuple(_fill(text, named) for text in _ADVICE.get(cause, ())),
        )


for _cause in _SUMMARIES:
    _declare(_cause)


def _quote(text: str) -> str:
    import shlex  # noqa: PLC0415 - only a failed start needs it

    return shlex.quote(text)


def _confirmation(cause: str, program: Program | None) -> Item | None:
    """Return what the image adds to the engine's message."""
    if program is None:
        return None
    text = ""
    if cause == "command-not-found" and not program.resolved:
        text = f"{program.path} isn't in the image"
    elif cause == "not-executable" and program.kind == "directory":
        text = f"{program.resolved} is a directory"
    elif cause == "not-executable" and program.resolved and not program.executable:
        text = f"{program.resolved} has no execute permission"
    elif cause == "unknown-user" and program.user_known is False:
        text = "/etc/passwd has no such user"
    return Item(source="image", text=text) if text else None


def _exec_failed(case: Case, *kinds: str) -> Evidence | None:
    """Return the runtime's line about a failed execve, which replaces the program's output.

    A program could print the same, so it only counts for a run that failed within seconds.
    """
    findings = case.findings_of(*kinds)
    if not failed_unasked(case) or not findings or (case.run.seconds or 0) > 5:
        return None
    return findings[0]


def _started_wrong(case: Case, *kinds: str) -> tuple[Program, tuple[Item, ...]] | None:
    """Return the program and the evidence of its failed execve; None unless both are known."""
    program = case.program
    if program is None:
        return None
    failed = _exec_failed(case, *kinds)
    if failed is not None:
        return program, (failed.item, exit_item(case))
    if case.start_failure is not None:
        return program, (case.start_failure.item,)
    return None


class _Defect(msgspec.Struct, frozen=True, kw_only=True):
    """A defect of an existing file that prevents its execution.

    `fact` and `summary` contain fields of the program, `advice` its name as `{file}` and `{path}`.
    """

    cause: str
    says: str
    failed: tuple[str, ...]
    """The kinds of findings that show the failed execve."""
    holds: Callable[[Program], bool]
    fact: str
    summary: str
    advice: tuple[str, ...] = ()
    confidence: float = 0.97


_DEFECTS: tuple[_Defect, ...] = (
    _Defect(
        cause="interpreter-missing",
        says="The program is a script whose interpreter isn't in the image, and executing it failed.",
        failed=("exec-enoent",),
        holds=lambda program: program.kind == "script" and not program.crlf and not program.interpreter_found,
        fact="{resolved} is a script for {interpreter}, which is missing",
        summary="{path} needs {interpreter}, which isn't in the image",
        advice=("pyd debug {name} -c 'head -1 {path}'",),
    ),
    _Defect(
        cause="crlf-script",
        says="The script's first line ends in CR LF, and executing it failed.",
        failed=("exec-enoent",),
        holds=lambda program: program.crlf,
        fact="the first line of {resolved} ends in CR LF",
        summary="{path} has Windows line endings, so its interpreter can't be found",
        advice=("dos2unix {file} # then build the image again",),
        confidence=0.98,
    ),
    _Defect(
        cause="wrong-architecture",
        says="Executing the program failed with a format error, and its ELF header names another processor.",
        failed=("exec-format",),
        holds=lambda program: program.kind == "elf" and program.architecture != program.host_architecture,
        fact="{resolved} is built for {architecture}; this machine is {host_architecture}",
        summary="{resolved} is built for {architecture}; this machine is {host_architecture}",
        advice=("pyd build --platform linux/{host_architecture} .",),
        confidence=0.98,
    ),
    _Defect(
        cause="not-executable",
        says="Executing the program failed with a format error; it is no ELF file and has no interpreter line.",
        failed=("exec-format", "exec-eacces"),
        holds=lambda program: program.kind == "plain",
        fact="{resolved} is not an ELF file and doesn't start with #!",
        summary="{path} is not a program and has no #! line",
        advice=("sed -i '1i #!/bin/sh' {file} # then build the image again",),
        confidence=0.95,
    ),
    _Defect(
        cause="loader-missing",
        says="Executing an existing program failed as if it were missing; the loader it names isn't in the image.",
        failed=("exec-enoent",),
        holds=lambda program: program.kind == "elf" and not program.interpreter_found,
        fact="{resolved} needs the loader {interpreter}, which is missing",
        summary="{path} needs the loader {interpreter}, which isn't in the image",
    ),
)


def _declare_defect(defect: _Defect) -> None:
    @BOOK.rule(defect.cause, needs=("image",), says=defect.says)
    def from_image(case: Case) -> Conclusion | None:
        failed = _started_wrong(case, *defect.failed)
        if failed is None or not defect.holds(failed[0]):
            return None
        program, evidence = failed
        fields = {name: str(getattr(program, name)) for name in _FIELDS}
        quoted = {"path": _quote(program.path), "file": _quote(program.path.rpartition("/")[2])}
        return Conclusion(
            cause=defect.cause,
            confidence=defect.confidence,
            evidence=(Item(source="image", text=_fill(defect.fact, fields)), *evidence),
            summary=f"couldn't start: {_fill(defect.summary, fields)}",
            reason=_fill(defect.summary, fields),
            advice=tuple(_fill(text, fields | quoted) for text in defect.advice),
        )


_FIELDS = ("path", "resolved", "interpreter", "architecture", "host_architecture")


def _fill(text: str, values: dict[str, str]) -> str:
    """Fill in values, each once and unchanged; `{name}` is left for the verdict."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text)


for _defect in _DEFECTS:
    _declare_defect(_defect)


@BOOK.rule(
    "shared-library-missing",
    needs=("log",),
    says="The loader reports a missing library with code 127; more certain if the image confirms it.",
)
def shared_library_missing(case: Case) -> Conclusion | None:
    """Conclude a missing shared library."""
    findings = case.findings_of("shared-library-missing")
    if not failed_unasked(case) or case.run.code not in {127, 1} or not findings:
        return None
    missing = () if case.program is None else case.program.missing_libraries
    confirmed = findings[0].subject in missing
    facts = (Item(source="image", text=f"not in the image: {', '.join(missing)}"),) if confirmed else ()
    return Conclusion(
        cause="shared-library-missing",
        confidence=0.97 if confirmed else 0.85,
        evidence=(findings[0].item, *facts, exit_item(case)),
        summary=f"couldn't start: the shared library {findings[0].subject} isn't in the image",
        reason=f"library not found: {findings[0].subject}",
    )


class _ShellFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A shell's message and exit code when it can't run its command."""

    cause: str
    says: str
    code: int
    kinds: tuple[str, ...]
    """Kinds of findings."""
    summary: str
    reason: str
    confidence: float
    advice: tuple[str, ...] = ()


_SHELL: tuple[_ShellFailure, ...] = (
    _ShellFailure(
        cause="command-not-found",
        says="Code 127, and a shell in the container reports that a command wasn't found.",
        code=127,
        kinds=("command-not-found", "missing-file"),
        summary="exited with code 127: its shell couldn't find the command {subject}",
        reason="command not found: {subject}",
        confidence=0.93,
        advice=("pyd debug {name}",),
    ),
    _ShellFailure(
        cause="not-executable",
        says="Code 126, and the output says that permission was denied: a shell couldn't execute its command.",
        code=126,
        kinds=("permission-denied", "exec-eacces"),
        summary="exited with code 126: its shell couldn't execute {subject}",
        reason="can't be executed: {subject}",
        confidence=0.9,
    ),
)


def _declare_shell_failure(failure: _ShellFailure) -> None:
    @BOOK.rule(failure.cause, needs=("log",), says=failure.says)
    def from_shell(case: Case) -> Conclusion | None:
        findings = [finding for cause in failure.kinds for finding in case.findings_of(cause)]
        if not failed_unasked(case) or case.run.code != failure.code or not findings:
            return None
        return Conclusion(
            cause=failure.cause,
            confidence=failure.confidence,
            evidence=(findings[0].item, exit_item(case)),
            summary=_fill(failure.summary, {"subject": findings[0].subject or "a file"}),
            reason=_fill(failure.reason, {"subject": findings[0].subject or "a file"}),
            advice=failure.advice,
        )


for _failure in _SHELL:
    _declare_shell_failure(_failure)


@BOOK.rule(
    "mount-source-missing",
    needs=("host",),
    says="It never started, the engine recorded no error, and the source of a mount isn't on the host.",
)
def source_gone(case: Case) -> Conclusion | None:
    """Conclude a missing mount source; engines refuse such a start without recording the error."""
    state = case.container.state
    if state.status != "created" or state.error or not case.absent:
        return None
    gone = ", ".join(case.absent)
    return Conclusion(
        cause="mount-source-missing",
        confidence=0.85,
        evidence=(Item(source="host", text=f"missing: {gone}"), Item(source="inspect", text="state created")),
        summary=f"can't be started: the mount source {gone} isn't on the host",
        reason=f"mount source missing: {gone}",
        advice=tuple("mkdir -p " + _quote(path) for path in case.absent),
    )


@BOOK.rule("never-started", needs=("inspect",), says="Its state is created and the engine recorded no error.")
def never_started(case: Case) -> Conclusion | None:
    """Conclude that it was never started."""
    state = case.container.state
    if state.status not in {"created", "initialized", "configured"} or state.error or has_ended(case):
        return None
    return Conclusion(
        cause="never-started",
        confidence=0.95,
        evidence=(Item(source="inspect", text="state created, no error, no start"),),
        summary="was created but never started",
        advice=("pyd start {name}",),
    )
