"""Options of a session, and the command line made from them."""

from __future__ import annotations

import errno

import pytest

from pyd_core.debug.failures import failure
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import command_line
from pyd_core.errors import Conflict, InvalidInput, KernelError, NotFound, Refused, Unsupported

BASH = ["/dev/.pyd/bin/bash", "--noprofile", "--norc"]


def test_a_line_and_a_program_exclude_each_other():
    with pytest.raises(InvalidInput, match="both -c and a command"):
        DebugOptions(target="web", line="true", command=("true",))


def test_bytes_no_program_can_be_given_are_refused():
    with pytest.raises(InvalidInput, match="NUL"):
        DebugOptions(target="web", command=("echo", "a\0b"))


def test_programs_run_as_given_and_lines_in_our_shell():
    assert command_line(DebugOptions(target="web", command=("ls", "-l", "")), terminal=True) == ["ls", "-l", ""]
    assert command_line(DebugOptions(target="web", line=""), terminal=False) == [*BASH, "-c", ""]
    assert command_line(DebugOptions(target="web"), terminal=True) == [*BASH, "-i"]
    assert command_line(DebugOptions(target="web"), terminal=False) == BASH


@pytest.mark.parametrize(
    ("call", "number", "kind", "reference"),
    [
        ("execve", errno.ENOENT, NotFound, "command-not-found"),
        ("execve", errno.EACCES, Refused, "command-not-executable"),
        ("execve", errno.ENOEXEC, Refused, "command-not-executable"),
        ("open", errno.ESRCH, Conflict, "not-running"),
        ("setns", errno.EPERM, Refused, "refused"),
        ("mount_setattr", errno.ENOSYS, Unsupported, "unsupported"),
        ("pivot_root", errno.EBUSY, KernelError, "kernel-error"),
    ],
)
def test_what_the_kernel_said_becomes_an_error_with_a_next_step(
    call: str, number: int, kind: type[Exception], reference: str
):
    error = failure(call, number, "x\x1b[2J", target="web")
    assert type(error) is kind
    assert error.reference == reference
    assert "\x1b" not in error.message
    assert error.hint or kind is KernelError
