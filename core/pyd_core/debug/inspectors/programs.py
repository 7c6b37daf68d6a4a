"""The target's start command, and the faults that are visible before it is tried."""

from __future__ import annotations

import json
import os
import posixpath
import signal
import stat

import msgspec

from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.access import Access
from pyd_core.debug.clone import PROGRAM
from pyd_core.debug.inspectors.files import absolute
from pyd_core.debug.inspectors.processes import target_pid
from pyd_core.debug.inspectors.shell_line import first_program
from pyd_core.debug.stopped.user import resolve_user
from pyd_core.errors import NotFound, PydError
from pyd_core.linux.elf import host_architecture, runs_on
from pyd_core.linux.layered_fs import MAX_LINKS, FileNode, Kind
from pyd_core.model.container import Container
from pyd_core.sanitise import safe
from pyd_core.triage.collect.image import examine
from pyd_core.triage.evidence import Program

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
DEFAULT_STOP = "SIGTERM"


class ProgramUse(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of the start command."""

    id: str
    level: str
    """`error`: it can't start; `warning`: it won't do what was intended."""
    text: str
    advice: str = ""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The target's start command and program."""

    argv: tuple[str, ...]
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    program: str
    """Where the program is found; empty if it isn't."""
    kind: str
    """`elf`, `script`, and so on."""
    interpreter: str
    user: str
    working_dir: str
    stop_signal: str
    init: bool
    """True where the engine starts an init first."""


class FilesTree:
    """The target's files, as triage's examination of a program looks at them."""

    quick = True

    def __init__(self, access: Access) -> None:
        self._access = access

    async def lookup(self, path: str) -> FileNode | None:
        """See `triage.collect.tree.Tree`."""
        for _ in range(MAX_LINKS):
            try:
                entry = self._access.stat(path, follow=False)
            except PydError:
                return None
            if stat.S_ISLNK(entry.mode):
                path = posixpath.normpath(absolute(entry.link, posixpath.dirname(path)))
                continue
            kind: Kind = "file" if stat.S_ISREG(entry.mode) else "directory" if stat.S_ISDIR(entry.mode) else "other"
            mode = stat.S_IMODE(entry.mode)
            return FileNode(path=path, kind=kind, mode=mode, uid=entry.uid, gid=entry.gid, size=entry.size)
        return None

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `triage.collect.tree.Tree`."""
        try:
            return self._access.read_file(path, offset=offset, limit=size)
        except PydError:
            return b""


def examine_start(access: Access) -> tuple[Start, Program]:
    """Return how the target starts, and the facts about its program.

    Raises:
        NotFound: It starts nothing: a process by its number, or an image without a command.
    """
    container = with_command(access.container)
    if not container.path:
        raise NotFound("it has no command to start with", reference="no-command")
    architecture = host_architecture(os.uname().machine)
    program = run_now(examine(container, FilesTree(access), architecture))
    config = container.config
    return Start(
        argv=(container.path, *container.args),
        entrypoint=_words(config.entrypoint),
        cmd=_words(config.cmd),
        program=program.resolved,
        kind=program.kind,
        interpreter=program.interpreter,
        user=config.user or "root",
        working_dir=config.working_dir or "/",
        stop_signal=_signal_name(config.stop_signal or DEFAULT_STOP),
        init=bool(container.host_config.init),
    ), program


def with_command(container: Container) -> Container:
    """Return the container with its path and arguments; an image's are made from its entrypoint and command."""
    if container.path:
        return container
    words = (*_words(container.config.entrypoint), *_words(container.config.cmd))
    return msgspec.structs.replace(container, path=words[0] if words else "", args=list(words[1:]))


def lint(access: Access) -> list[ProgramUse]:
    """Return the faults of the target's start, errors first."""
    start, program = examine_start(access)
    findings = [*_program_findings(start, program), *_user_findings(access, start, program), *_form_findings(start)]
    if program.resolved:
        findings += _line_findings(access, start, program)
    if access.container.state.pid:
        findings += _signal_findings(access, start)
    return sorted(findings, key=lambda finding: finding.level != "error")


def _words(value: list[str] | str | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _program_findings(start: Start, program: Program) -> list[ProgramUse]:
    findings: list[ProgramUse] = []

    def error(identity: str, text: str, advice: str = "") -> None:
        findings.append(ProgramUse(id=identity, level="error", text=text, advice=advice))

    name = start.argv[0]
    if program.workdir_found is False:
        error("bad-workdir", f"the working directory {start.working_dir} isn't there", "WORKDIR makes one")
    foreign = program.kind == "elf" and not (
        program.emulated or runs_on(program.architecture, program.host_architecture)
    )
    if not program.resolved:
        error("missing-program", f"{safe(name)} isn't there", _missing_advice(start.argv))
        return findings
    if program.kind == "directory":
        error("not-executable", f"{program.resolved} is a directory")
    elif not program.executable:
        error("not-executable", f"{program.resolved} has no execute permission", f"RUN chmod +x {program.resolved}")
    if program.crlf:
        error(
            "crlf-script", f"the first line of {program.resolved} ends in CR LF", "convert it: sed -i 's/\\r$//' FILE"
        )
    elif program.kind == "script" and not program.interpreter_found:
        error("interpreter-missing", f"{program.resolved} needs {program.interpreter}, which isn't there")
    elif program.kind == "elf" and not program.interpreter_found and not foreign:
        error("loader-missing", f"{program.resolved} needs the loader {program.interpreter}, which isn't there",
              "it was built for another C library: build it static, or on the image's own distribution")  # fmt: skip
    if foreign:
        error(
            "wrong-architecture", f"{program.resolved} is for {program.architecture}, not {program.host_architecture}"
        )
    error_libraries = ", ".join(program.missing_libraries)
    if error_libraries:
        error("library-missing", f"{program.resolved} needs {error_libraries}, which no loader would find")
    if program.kind == "plain" and program.executable:
        error("no-interpreter-line", f"{program.resolved} is neither a program nor begins with #!",
              "begin a script with the line #!/bin/sh")  # fmt: skip
    return findings


def _line_findings(access: Access, start: Start, shell: Program) -> list[ProgramUse]:
    """Return faults of the program that a shell is to start; only warnings where the shell continues without it."""
    first = first_program(start.argv[2]) if _is_shell_form(start.argv) else None
    if first is None or _holds(access, shell.resolved, first.name):
        return []
    container = msgspec.structs.replace(with_command(access.container), path=first.name, args=[])
    program = run_now(examine(container, FilesTree(access), shell.host_architecture))
    inner = msgspec.structs.replace(start, argv=(first.name,))
    level = "error" if first.alone else "warning"
    return [
        msgspec.structs.replace(finding, level=level)
        for finding in _program_findings(inner, program)
        if finding.id not in _SHELLS_AFFAIR
    ]


_SHELLS_AFFAIR = ("bad-workdir", "no-interpreter-line")
"""Faults that are reported of the shell already, or that it makes up for by reading the file (POSIX.1, XCU 2.9.1)."""


def _holds(access: Access, shell: str, name: str) -> bool:
    """Return whether a shell is a busybox that may contain a program."""
    if posixpath.basename(shell) != "busybox":
        return False
    return f"\0{name}\0".encode() in access.read_file(shell, limit=_MAX_BUSYBOX_BYTES)


_MAX_BUSYBOX_BYTES = 1 << 23


def _missing_advice(argv: tuple[str, ...]) -> str:
    if len(words := argv[0].split()) > 1:
        return f"blanks don't part words in the JSON form: {json.dumps(words)}"
    if _is_shell_form(argv):
        return "there is no shell in it: write the command in the JSON form"
    return "is it on PATH, and was it copied to where it is called?"


def _user_findings(access: Access, start: Start, program: Program) -> list[ProgramUse]:
    def read(path: str) -> str:
        try:
            return access.read_file(path, limit=1 << 20).decode(errors="replace")
        except PydError:
            return ""

    try:
        uid, gid, groups = resolve_user(access.container.config.user, read)
    except LookupError:
        text = f"there is no user {start.user} in /etc/passwd"
        return [
            ProgramUse(id="unknown-user", level="error", text=text, advice="make it in the image, or use its number")
        ]
    if uid == 0:
        return []
    findings: list[ProgramUse] = []
    for path, permission, what in ((program.resolved, 1, "execute"), (start.working_dir, 1, "enter")):
        barrier = path and _barrier(access, path, uid, {gid, *groups}, permission)
        if barrier:
            findings.append(
                ProgramUse(
                    id="user-lacks-rights",
                    level="error",
                    text=f"user {start.user} may not {what} {path}: {barrier} forbids it",
                    advice=f"chmod or chown {barrier} in the image",
                )
            )
    return findings


def _barrier(access: Access, path: str, uid: int, gids: set[int], permission: int) -> str:
    """Return the first part of a path that a user may not pass; empty if there is none."""
    parts = [part for part in path.split("/") if part]
    for count in range(len(parts) + 1):
        ancestor = "/" + "/".join(parts[:count])
        try:
            entry = access.stat(ancestor)
        except PydError:
            return ""
        shift = 6 if entry.uid == uid else 3 if entry.gid in gids else 0
        if not entry.mode >> shift & permission:
            return ancestor
    return ""


def _form_findings(start: Start) -> list[ProgramUse]:
    findings: list[ProgramUse] = []
    if _is_shell_form(start.entrypoint) and start.cmd:
        findings.append(
            ProgramUse(
                id="shell-form-drops-cmd",
                level="warning",
                text=f"ENTRYPOINT is in shell form, so CMD ({' '.join(start.cmd)}) is never seen by the program",
                advice='write ENTRYPOINT ["program", "argument"]',
            )
        )
    script = start.argv[2] if _is_shell_form(start.argv) else ""
    if script.lstrip().startswith("[") and script.rstrip().endswith("]"):
        findings.append(
            ProgramUse(
                id="no-json",
                level="error",
                text=f"{safe(script)} is no JSON, so a shell is given all of it as a command",
                advice="JSON has double quotes, and no comma at the end",
            )
        )
        return findings
    if _is_shell_form(start.argv[2:]) or any(script.startswith(f"{shell} -c") for shell in ("sh", "/bin/sh", "bash")):
        findings.append(
            ProgramUse(id="double-shell", level="warning", text="a shell starts a shell that starts the program")
        )
    kills = _signal_number(start.stop_signal) == signal.SIGKILL
    if script and not start.init and not kills and not script.lstrip().startswith("exec "):
        findings.append(
            ProgramUse(
                id="shell-form",
                level="warning",
                text=f"a shell ({start.argv[0]} -c) is started; {start.stop_signal} reaches it alone while it is there",
                advice="use the JSON form, begin the line with exec, or run with --init",
            )
        )
    return findings


def _is_shell_form(words: tuple[str, ...]) -> bool:
    return len(words) > 2 and posixpath.basename(words[0]) in SHELLS and words[1] == "-c"


def _signal_findings(access: Access, start: Start) -> list[ProgramUse]:
    """Return whether the running main process handles the stop signal: for PID 1 the kernel drops unhandled ones."""
    status = access.proc(access.main_pid, "status")
    if access.proc(access.main_pid, "cmdline").startswith(f"{PROGRAM}\0".encode()):
        return []  # a clone, in which the program doesn't run
    if target_pid(status, access.main_pid) != 1 or start.init:
        return []
    number = _signal_number(start.stop_signal)
    if number in (signal.SIGKILL, signal.SIGSTOP):
        return []  # these can't be handled, and the kernel drops neither
    masks = {line.split()[0]: int(line.split()[1], 16) for line in status.splitlines() if line.startswith(b"Sig")
             and len(line.split()) == 2 and b"/" not in line}  # fmt: skip
    if number is None or masks.get(b"SigCgt:", 0) >> (number - 1) & 1:
        return []
    name = access.proc(access.main_pid, "comm").decode(errors="replace").strip()
    return [
        ProgramUse(
            id="no-signal-handling",
            level="warning",
            text=f"{name} is PID 1 and has no handler for {start.stop_signal}: the kernel drops it, and a stop takes "
            "its whole grace and a SIGKILL",
            advice="handle it, exec the program instead of keeping a shell before it, or run with --init",
        )
    ]


def _signal_name(text: str) -> str:
    """Return a signal's name, which Podman gives as a number."""
    number = _signal_number(text)
    return next((known.name for known in signal.Signals if known == number), text)


def _signal_number(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    known = signal.Signals.__members__.get(full)
    return None if known is None else int(known)
