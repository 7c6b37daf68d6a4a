"""Why it could not start: the engine's own message, confirmed by what lies in the image."""

from __future__ import annotations

from pyd_core.triage.evidence import Case, Finding, Item, Program
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.facts import ended, exit_item, own_end

BOOK = RuleBook()

_WORDS: dict[str, str] = {
    "command-not-found": "couldn't start: there is no {subject} in the image",
    "not-executable": "couldn't start: {subject} can't be executed",
    "bad-workdir": "couldn't start: the working directory {subject} can't be used",
    "unknown-user": "couldn't start: the image has no user {subject}",
    "port-conflict": "couldn't start: {subject} is already taken on the engine's host",
    "mount-source-missing": "couldn't start: {subject}, which should be mounted, doesn't exist",
    "mount-type-mismatch": "couldn't start: a file was to be mounted on a directory or the reverse ({subject})",
    "device-missing": "couldn't start: the host has no device {subject}",
    "network-missing": "couldn't start: the network {subject} doesn't exist",
    "image-not-found": "couldn't start: the image {subject} isn't there",
    "no-space": "couldn't start: the engine's disk is full",
}

_ADVICE: dict[str, tuple[str, ...]] = {
    "command-not-found": ("pyd debug {name} -c 'ls -l /usr/local/bin /usr/bin /bin'",),
    "not-executable": ("pyd debug {name} -c 'ls -l {subject}'",),
    "port-conflict": ("pyd ps --filter publish={port}", "ss -ltnp 'sport = :{port}'"),
    "mount-source-missing": ("mkdir -p {subject}",),
    "mount-type-mismatch": ("stat {subject}",),
    "network-missing": ("{docker} network ls",),
    "unknown-user": ("{docker} inspect -f '{{.Config.User}}' {name}",),
    "no-space": ("{docker} system df", "{docker} system prune"),
}


def _declare(cause: str) -> None:
    @BOOK.rule(cause, needs=("inspect",), says="The engine's own message about the failed start says so.")
    def from_engine(case: Case) -> Conclusion | None:
        failure = case.start_failure
        if failure is None or failure.cause != cause:
            return None
        subject = failure.subject or "what was asked for"
        evidence = [failure.item]
        if (confirmed := _confirmed(cause, case.program)) is not None:
            evidence.append(confirmed)
        port = subject.rpartition(":")[2]
        advice = tuple(
            text.replace("{subject}", _quoted(subject)).replace("{port}", _quoted(port))
            for text in _ADVICE.get(cause, ())
        )
        return Conclusion(
            cause=cause,
            confidence=0.97,
            evidence=tuple(evidence),
            summary=_WORDS[cause].replace("{subject}", subject),
            advice=advice,
        )


for _cause in _WORDS:
    _declare(_cause)


def _quoted(text: str) -> str:
    import shlex  # noqa: PLC0415 - only a failed start needs it

    return shlex.quote(text)


def _confirmed(cause: str, program: Program | None) -> Item | None:
    """What the image says to the engine's message."""
    if program is None:
        return None
    text = ""
    if cause == "command-not-found" and not program.found:
        text = f"{program.path} isn't in the image"
    elif cause == "not-executable" and program.kind == "directory":
        text = f"{program.found} is a directory"
    elif cause == "not-executable" and program.found and not program.executable:
        text = f"{program.found} has no execute permission"
    elif cause == "unknown-user" and program.user_known is False:
        text = "/etc/passwd has no such user"
    return Item(source="image", text=text) if text else None


def _exec_failed(case: Case, *kinds: str) -> Finding | None:
    """The runtime's line about a failed execve, which takes the place of the program's output.

    A program could print the same, so it counts only for a run that ended by itself at once.
    """
    found = case.findings_of(*kinds)
    if not own_end(case) or not found or (case.run.seconds or 0) > 5:
        return None
    return found[0]


def _started_wrong(case: Case, *kinds: str) -> tuple[Program, tuple[Item, ...]] | None:
    """The program's facts and the evidence of the failed execve, where both are there."""
    program = case.program
    if program is None:
        return None
    failed = _exec_failed(case, *kinds)
    if failed is not None:
        return program, (failed.item, exit_item(case))
    if case.start_failure is not None:
        return program, (case.start_failure.item,)
    return None


@BOOK.rule(
    "interpreter-missing",
    needs=("image",),
    says="The program is a script whose interpreter isn't in the image, and executing it failed.",
)
def interpreter_missing(case: Case) -> Conclusion | None:
    """The script's interpreter is missing."""
    failed = _started_wrong(case, "exec-enoent")
    if failed is None or failed[0].kind != "script" or failed[0].crlf or failed[0].interpreter_found:
        return None
    program, evidence = failed
    fact = Item(source="image", text=f"{program.found} is a script for {program.interpreter}, which isn't there")
    return Conclusion(
        cause="interpreter-missing",
        confidence=0.97,
        evidence=(fact, *evidence),
        summary=f"couldn't start: {program.path} needs {program.interpreter}, which isn't in the image",
        advice=("pyd debug {name} -c 'head -1 " + _quoted(program.path) + "'",),
    )


@BOOK.rule("crlf-script", needs=("image",), says="The script's first line ends in CR LF, and executing it failed.")
def crlf_script(case: Case) -> Conclusion | None:
    """Windows line ends."""
    failed = _started_wrong(case, "exec-enoent")
    if failed is None or not failed[0].crlf:
        return None
    program, evidence = failed
    fact = Item(source="image", text=f"the first line of {program.found} ends in CR LF")
    return Conclusion(
        cause="crlf-script",
        confidence=0.98,
        evidence=(fact, *evidence),
        summary=f"couldn't start: {program.path} has Windows line ends, so no interpreter has the name it asks for",
        advice=("dos2unix " + _quoted(program.path.rpartition("/")[2]) + " # then build the image again",),
    )


@BOOK.rule(
    "wrong-architecture",
    needs=("image",),
    says="Executing the program failed with a format error, and its ELF header names another processor.",
)
def wrong_architecture(case: Case) -> Conclusion | None:
    """Built for another processor."""
    failed = _started_wrong(case, "exec-format")
    if failed is None or failed[0].kind != "elf" or failed[0].architecture == failed[0].host_architecture:
        return None
    program, evidence = failed
    text = f"{program.found} is built for {program.architecture}; this machine is {program.host_architecture}"
    return Conclusion(
        cause="wrong-architecture",
        confidence=0.98,
        evidence=(Item(source="image", text=text), *evidence),
        summary=f"couldn't start: {text}",
        advice=(f"{{docker}} build --platform linux/{program.host_architecture} .",),
    )


@BOOK.rule(
    "not-executable",
    needs=("image",),
    says="Executing the program failed with a format error, and it is neither an ELF file nor has an interpreter line.",
)
def no_format(case: Case) -> Conclusion | None:
    """Neither a program nor a script with an interpreter line."""
    failed = _started_wrong(case, "exec-format", "exec-eacces")
    if failed is None or failed[0].kind != "plain":
        return None
    program, evidence = failed
    fact = Item(source="image", text=f"{program.found} is neither an ELF file nor begins with #!")
    return Conclusion(
        cause="not-executable",
        confidence=0.95,
        evidence=(fact, *evidence),
        summary=f"couldn't start: {program.path} is no program and has no #! line",
        advice=("sed -i '1i #!/bin/sh' " + _quoted(program.path.rpartition("/")[2]) + " # then build the image again",),
    )


@BOOK.rule(
    "loader-missing",
    needs=("image",),
    says="Executing a program that is there failed as if it weren't, and the loader it names isn't in the image.",
)
def loader_missing(case: Case) -> Conclusion | None:
    """The dynamic loader is missing."""
    failed = _started_wrong(case, "exec-enoent")
    if failed is None or failed[0].kind != "elf" or failed[0].interpreter_found:
        return None
    program, evidence = failed
    fact = Item(source="image", text=f"{program.found} needs the loader {program.interpreter}, which isn't there")
    return Conclusion(
        cause="loader-missing",
        confidence=0.97,
        evidence=(fact, *evidence),
        summary=f"couldn't start: {program.path} needs the loader {program.interpreter}, which isn't in the image",
    )


@BOOK.rule(
    "shared-library-missing",
    needs=("log",),
    says="The loader says a library is missing with code 127; surer when the image confirms it.",
)
def shared_library_missing(case: Case) -> Conclusion | None:
    """A shared library is missing."""
    found = case.findings_of("shared-library-missing")
    if not own_end(case) or case.run.code not in {127, 1} or not found:
        return None
    missing = () if case.program is None else case.program.missing_libraries
    confirmed = found[0].subject in missing
    facts = (Item(source="image", text=f"not in the image: {', '.join(missing)}"),) if confirmed else ()
    return Conclusion(
        cause="shared-library-missing",
        confidence=0.97 if confirmed else 0.85,
        evidence=(found[0].item, *facts, exit_item(case)),
        summary=f"couldn't start: the shared library {found[0].subject} isn't in the image",
    )


@BOOK.rule(
    "command-not-found",
    needs=("log",),
    says="Code 127 and a shell in the container says that a command wasn't found.",
)
def shell_found_nothing(case: Case) -> Conclusion | None:
    """A shell didn't find a command."""
    found = case.findings_of("command-not-found")
    if not own_end(case) or case.run.code != 127 or not found:
        return None
    return Conclusion(
        cause="command-not-found",
        confidence=0.93,
        evidence=(found[0].item, exit_item(case)),
        summary=f"ended because its shell found no command {found[0].subject}",
        advice=("pyd debug {name}",),
    )


@BOOK.rule(
    "not-executable",
    needs=("log",),
    says="Code 126 and the output says that permission was denied: a shell could not execute what it was to run.",
)
def shell_refused(case: Case) -> Conclusion | None:
    """A shell couldn't execute a file."""
    found = case.findings_of("permission-denied", "exec-eacces")
    if not own_end(case) or case.run.code != 126 or not found:
        return None
    return Conclusion(
        cause="not-executable",
        confidence=0.9,
        evidence=(found[0].item, exit_item(case)),
        summary=f"ended because its shell couldn't execute {found[0].subject or 'a file'}",
    )


@BOOK.rule(
    "mount-source-missing",
    needs=("host",),
    says="It never started, the engine keeps no error, and a path it should mount isn't on the host.",
)
def source_gone(case: Case) -> Conclusion | None:
    """What should be mounted is gone; engines refuse such a start without keeping the error."""
    state = case.container.state
    if state.status != "created" or state.error or not case.absent:
        return None
    gone = ", ".join(case.absent)
    return Conclusion(
        cause="mount-source-missing",
        confidence=0.85,
        evidence=(Item(source="host", text=f"not there: {gone}"), Item(source="inspect", text="state created")),
        summary=f"can't be started: {gone}, which should be mounted, isn't on the host",
        advice=tuple("mkdir -p " + _quoted(path) for path in case.absent),
    )


@BOOK.rule("never-started", needs=("inspect",), says="Its state is created and the engine keeps no error.")
def never_started(case: Case) -> Conclusion | None:
    """Created, never started."""
    state = case.container.state
    if state.status not in {"created", "initialized", "configured"} or state.error or ended(case):
        return None
    return Conclusion(
        cause="never-started",
        confidence=0.95,
        evidence=(Item(source="inspect", text="state created, no error, no start"),),
        summary="was created but never started",
        advice=("pyd start {name}",),
    )
