"""The confinement of a session's command: credentials, limits, priorities, profiles and system call filters.

The kernel's interfaces: capabilities(7), seccomp(2), ptrace(2), prlimit(2), proc(5).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import time

from pyd_core.debug.syscalls import (
    PR_CAP_AMBIENT,
    PR_CAPBSET_DROP,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_SECCOMP,
    PR_SET_TIMERSLACK,
    CallFailed,
    checked,
    io_priority,
    libc,
    prctl,
    set_capabilities,
    set_io_priority,
)

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_SECCOMP_MODE_FILTER = 2
_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_SECCOMP_GET_FILTER = 0x4206, 0x4207, 0x420C
_WALL = 0x40000000
_INSTRUCTION_BYTES = 8
"""Bytes of a filter's instruction (`struct sock_filter`)."""
_STOP_TIMEOUT_S = 5.0
"""What the target may take to stop, so that its filters can be read."""
_PR_CAP_AMBIENT_RAISE, _PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_LAST_CAPABILITY = 63
_LIMITS = tuple(range(16))
"""The resources of prlimit(2) by number: RLIMIT_CPU to RLIMIT_RTTIME."""


# --- credentials ------------------------------------------------------------------------------------------------------


def drop_bounding(kept: int) -> None:
    """Drop all capabilities but these from the bounding set; none comes back."""
    for capability in range(_LAST_CAPABILITY + 1):
        if not kept >> capability & 1 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # beyond the last one this kernel knows


def take_credentials(credentials: dict[str, Any]) -> None:
    """Become a user with just these capabilities; nothing given up here comes back."""
    os.setgroups(credentials["groups"])
    os.setresgid(credentials["gid"], credentials["gid"], credentials["gid"])
    prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(credentials["uid"], credentials["uid"], credentials["uid"])
    set_capabilities(credentials["effective"], credentials["permitted"], credentials["inheritable"])
    prctl(PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_LAST_CAPABILITY + 1):
        if credentials["ambient"] >> capability & 1:
            prctl(PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
    if credentials["no_new_privileges"]:
        prctl(PR_SET_NO_NEW_PRIVS, 1)


# --- system calls and security modules --------------------------------------------------------------------------------


def read_filters(process: int, pid: int) -> list[bytes]:
    """Return the seccomp filters of a process as the kernel has them, in the order in which they were installed.

    The process is stopped while they are read, as by any tracer. A child of this process traces it: at the child's
    end the target continues, whatever happened.

    Raises:
        CallFailed: They can't be read: by one with a filter or without CAP_SYS_ADMIN (EACCES), while another process
            traces it (EPERM), of one that is frozen (EBUSY), or on a kernel built without (EIO).
    """
    if not read_field(process, "status", "Seccomp:").startswith("2"):
        return []
    import json  # noqa: PLC0415 - few targets are asked for theirs

    ours, theirs = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        answer: list[Any] = [errno.EIO, []]
        try:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            _stop(process, pid)
            answer = [0, [program.hex() for program in _copy_filters(pid)]]
        except CallFailed as error:
            answer[0] = error.number
        finally:
            with open(theirs, "w") as sink:
                json.dump(answer, sink)
            os._exit(0)
    os.close(theirs)
    with open(ours) as source:
        text = source.read()
    os.waitpid(child, 0)
    number, programs = json.loads(text or f"[{errno.EIO}, []]")
    if number:
        raise CallFailed("ptrace", number, "its seccomp filter")
    return [bytes.fromhex(program) for program in programs]


def _stop(process: int, pid: int) -> None:
    """Stop a process as its tracer, from now until this process ends."""
    frozen = ""
    with contextlib.suppress(CallFailed):
        frozen = read_status(process, "wchan")
    if frozen == "__refrigerator":  # by a cgroup of version 1: it would stop only when thawed
        raise CallFailed("ptrace", errno.EBUSY)
    _ptrace(_PTRACE_SEIZE, pid)
    _ptrace(_PTRACE_INTERRUPT, pid)
    ends = time.monotonic() + _STOP_TIMEOUT_S
    while (left := ends - time.monotonic()) > 0:
        stopped, state = os.waitpid(pid, os.WNOHANG | _WALL)
        if stopped:
            if os.WIFSTOPPED(state):
                return
            break
        signal.sigtimedwait({signal.SIGCHLD}, left)
    raise CallFailed("ptrace", errno.EBUSY)


def _copy_filters(pid: int) -> list[bytes]:
    programs: list[bytes] = []
    while True:
        try:
            count = _ptrace(_PTRACE_SECCOMP_GET_FILTER, pid, len(programs))
        except CallFailed as error:
            if error.number == errno.ENOENT:
                return programs
            raise
        program = ctypes.create_string_buffer(count * _INSTRUCTION_BYTES)
        _ptrace(_PTRACE_SECCOMP_GET_FILTER, pid, len(programs), program)
        programs.append(program.raw)


def _ptrace(request: int, pid: int, address: int = 0, data: Any = None) -> int:
    return checked("ptrace", libc.ptrace(request, pid, ctypes.c_void_p(address), data))


def install_filters(filters: Sequence[bytes]) -> None:
    """Put filters on this process that no later program can take off."""
    for program in filters:
        code = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("@HP", len(program) // _INSTRUCTION_BYTES, ctypes.addressof(code))
        holder = ctypes.create_string_buffer(header, len(header))
        prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(holder))


def read_profile(process: int) -> str:
    """Return the AppArmor profile that confines a process; empty without one, or where another module has the label.

    AppArmor writes `PROFILE (MODE)`, and `unconfined`; SELinux a context without a mode.
    """
    for name in ("attr/apparmor/current", "attr/current"):
        with contextlib.suppress(CallFailed, OSError):
            return read_status(process, name).strip().rpartition(" (")[0]
    return ""


def take_profile(proc: int, profile: str) -> None:
    """Have this process, and those it forks, change to an AppArmor profile with execve (aa_change_onexec(2))."""
    for name in ("thread-self/attr/apparmor/exec", "thread-self/attr/exec"):
        try:
            file = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        except FileNotFoundError:
            continue
        try:
            os.write(file, f"exec {profile}".encode())
        finally:
            os.close(file)
        return


# --- limits -----------------------------------------------------------------------------------------------------------


def read_limits(pid: int) -> list[tuple[int, int, int]]:
    """Return the resource limits of a process: number, soft and hard. Those that can't be read are left out."""
    limits: list[tuple[int, int, int]] = []
    for number in _LIMITS:
        with contextlib.suppress(OSError, ValueError):
            limits.append((number, *resource.prlimit(pid, number)))
    return limits


def raise_limits(limits: Sequence[tuple[int, int, int]]) -> None:
    """Raise this process's hard limits to others, as far as it may, so that a child can have them."""
    for number, _, hard in limits:
        soft, own = resource.getrlimit(number)
        if own != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard > own):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(number, (soft, hard))


def take_limits(limits: Sequence[tuple[int, int, int]]) -> None:
    """Take resource limits over; none ends above them."""
    for number, soft, hard in limits:
        own = resource.getrlimit(number)[1]
        if own != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard > own):
            hard = own  # noqa: PLW2901 - it couldn't be raised
            soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)  # noqa: PLW2901
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(number, (soft, hard))


class Standing:
    """A process's standing with the kernel: its OOM score, processors and priorities.

    Args:
        process: An open `/proc/PID`.
        pid: The process.
    """

    def __init__(self, process: int, pid: int) -> None:
        self._expendable = int(read_status(process, "oom_score_adj") or "0")
        self._slack = 0
        with contextlib.suppress(CallFailed, OSError, ValueError):
            self._slack = int(read_status(process, "timerslack_ns"))
        self._nice = os.getpriority(os.PRIO_PROCESS, pid)
        self._policy, self._urgency = os.sched_getscheduler(pid), os.sched_getparam(pid)
        self._processors = os.sched_getaffinity(pid)
        self._io = -1
        with contextlib.suppress(CallFailed):
            self._io = io_priority(pid)

    def take(self, proc: int, *, whole: bool) -> None:
        """Have this process, and its children, stand as the other.

        Args:
            proc: An open `/proc`.
            whole: All of it; else the kernel just mustn't spare this process where it ends the other.
        """
        with contextlib.suppress(OSError):
            own = os.open("self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC, dir_fd=proc)
            score = self._expendable if whole else max(self._expendable, int(os.read(own, 16)))
            os.pwrite(own, b"%d" % score, 0)
            os.close(own)
        if not whole:
            return
        # Only root here may do all of it.
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, self._processors)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, self._nice)
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, self._policy, self._urgency)
        with contextlib.suppress(CallFailed):
            if self._io >= 0:
                set_io_priority(self._io)
        with contextlib.suppress(CallFailed):
            if self._slack > 0:
                prctl(PR_SET_TIMERSLACK, self._slack)


# --- reading another process ------------------------------------------------------------------------------------------


def read_status(process: int, name: str) -> str:
    """Return the text of a small file of an open `/proc/PID`."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            return os.read(file, 65536).decode(errors="replace")
        finally:
            os.close(file)
    except OSError as error:
        raise CallFailed("open", error.errno or errno.ESRCH, "the target's /proc entry") from error


def read_field(process: int, name: str, key: str) -> str:
    """Return what a line of a file of `/proc/PID` says after its key; empty when there is no such line."""
    lines = read_status(process, name).splitlines()
    return next((line[len(key) :].strip() for line in lines if line.startswith(key)), "")


def start_time(process: int) -> int:
    """Return when a process started, in clock ticks since boot; with its pid this names it for ever (proc(5))."""
    return int(read_status(process, "stat").rpartition(")")[2].split()[19])
