"""Stacks of a process of the target: by the tool for its language, by gdb, or by the kernel."""

from __future__ import annotations

import posixpath
import re

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.processes import target_pid
from pyd_core.debug.inspectors.tools import is_there, tool
from pyd_core.errors import PydError
from pyd_core.sanitise import safe

GO_MARK = b"\xff Go buildinf:"
"""Begins what the Go linker writes into every program (debug/buildinfo); in a big one it is far behind."""
GO_NOTE = b"\x04\0\0\0Go\0\0"
"""Type and name of the note with a build's id, at the beginning of a program (cmd/internal/buildid)."""
MAX_THREADS = 256
_HEAD = 8 << 20
_NOTES = 1 << 16


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that shows stacks."""

    language: str
    tool: str
    pack: str
    """The pack that brings it."""
    arguments: tuple[str, ...]
    """`PID` stands for the process."""
    keys: bytes = b""
    """What is typed into it; the last answer of delve's leaves the process running."""


WAYS = {
    "python": Way(language="Python", tool="py-spy", pack="python", arguments=("dump", "--pid", "PID")),
    "jvm": Way(language="Java", tool="jattach", pack="jvm", arguments=("PID", "threaddump")),
    "go": Way(
        language="Go",
        tool="dlv",
        pack="go",
        arguments=("attach", "PID", "--allow-non-terminal-interactive=true"),
        keys=b"goroutines -t 20\nexit\nn\n",
    ),
}
NATIVE = Way(
    language="native",
    tool="gdb",
    pack="trace",
    arguments=("-batch", "-nx", "-ex", "set pagination off", "-ex", "thread apply all bt", "-p", "PID"),
)


UNWINDER = Way(language="native", tool="eu-stack", pack="base", arguments=("-s", "-p", "PID"))
"""Has no arguments and variables as gdb has, but comes with every toolbox."""
_NAMED = re.compile(r"^#\d+ +0x[0-9a-f]+(?: - 1)? +\S", re.MULTILINE)
"""A frame of eu-stack's with a function's name; of a stripped program it has addresses alone."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A thread as the kernel sees it."""

    tid: int
    """As the target numbers it."""
    name: str
    state: str
    waits_in: str
    """The function of the kernel it sleeps in; empty for one that runs."""
    kernel_stack: tuple[str, ...]


class ThreadStack(msgspec.Struct, frozen=True, kw_only=True):
    """The stacks of a process."""

    pid: int
    language: str
    """`Python`, `Java`, `Go` or `native`."""
    tool: str
    """The source: a program, or `kernel`."""
    text: str = ""
    threads: tuple[Thread, ...] = ()
    advice: str = ""
    """A tool to install to see more, or the reason why an installed tool failed."""


def read_stack(access: Access, host_pid: int) -> ThreadStack:
    """Return the stacks of a process, as precisely as the installed tools allow."""
    pid = target_pid(access.proc(host_pid, "status"), host_pid)
    own = WAYS.get(runtime_of(access, host_pid))
    advice = ""
    for way in (own, NATIVE, UNWINDER):
        if way is None:
            continue
        in_full = " in full" if way is NATIVE else ""
        if not is_there(access, way.tool):
            advice = advice or f"for its {way.language} stack{in_full}: install {way.pack} (it brings {way.tool})"
            continue
        words = [str(pid) if part == "PID" else part for part in way.arguments]
        done = access.run([tool(way.tool), *words], env=("TERM=dumb",), data=way.keys)  # delve colours, terminal or not
        text = done.stdout.decode(errors="replace")
        succeeded = _NAMED.search(text) if way is UNWINDER else done.code == 0 and text.strip()
        if succeeded:
            return ThreadStack(pid=pid, language=(own or NATIVE).language, tool=way.tool, text=text, advice=advice)
        if way is UNWINDER:
            break
        *_, last_line = ("", *done.stderr.decode(errors="replace").strip().splitlines())
        advice = advice or f"{way.tool} failed: {safe(last_line[:300]) or f'exit code {done.code}'}"
    return ThreadStack(
        pid=pid,
        language=(own or NATIVE).language,
        tool="kernel",
        threads=read_threads(access, host_pid),
        advice=advice,
    )


def runtime_of(access: Access, host_pid: int) -> str:
    """Report what runs a process's program: `python`, `jvm`, `node`, `go` or `native`."""
    try:
        program = access.proc_link(host_pid, "exe").removesuffix(" (deleted)")
    except PydError:
        return "native"
    name = posixpath.basename(program)
    for begin, runtime in (("python", "python"), ("pypy", "python"), ("java", "jvm"), ("node", "node")):
        if name.startswith(begin):
            return runtime
    text = access.proc(host_pid, "maps", limit=1 << 20)
    if b"/libpython" in text:
        return "python"
    if b"/libjvm.so" in text:
        return "jvm"
    try:
        head = access.read_file(program, limit=_HEAD)
        return "go" if GO_NOTE in head[:_NOTES] or GO_MARK in head else "native"
    except PydError:
        return "native"


def read_threads(access: Access, host_pid: int) -> tuple[Thread, ...]:
    """Return a process's threads as the kernel shows them."""
    threads: list[Thread] = []
    for name in sorted(access.proc_names(host_pid, "task"), key=int)[:MAX_THREADS]:
        try:
            status = access.proc(host_pid, f"task/{name}/status")
        except PydError:
            continue  # it has ended
        stack, waits = (_kernel_tells(access, host_pid, f"task/{name}/{file}") for file in ("stack", "wchan"))
        lines = (line.partition(":") for line in status.decode(errors="replace").splitlines())
        fields = {key: value.strip() for key, _, value in lines}
        threads.append(
            Thread(
                tid=target_pid(status, int(name)),
                name=fields.get("Name", ""),
                state=fields.get("State", "")[3:].strip("()"),
                waits_in="" if waits in ("", "0") else waits,
                kernel_stack=tuple(line.partition("] ")[2] for line in stack.splitlines() if "] " in line),
            )
        )
    return tuple(threads)


def _kernel_tells(access: Access, host_pid: int, file: str) -> str:
    """Return a file of a thread; empty where that takes rights over the machine, which helpers lack."""
    try:
        return access.proc(host_pid, file).decode(errors="replace")
    except PydError:
        return ""
