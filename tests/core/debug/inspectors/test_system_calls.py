from __future__ import annotations

import pytest

from pyd_core.debug.inspectors.system_calls import parse_trace
from pyd_core.errors import PydError, Refused


def test_calls_are_read_with_their_errors_and_subjects():
    lines = [
        '1700000000.100000 openat(AT_FDCWD, "/etc/a \\"b\\"", O_RDONLY) = -1 ENOENT (No such file or directory)\n',
        '[pid    12] 1700000000.200000 execve("/proc/self/exe", ["cat", "/x"], 0x7ff /* 4 vars */) = 0\n',
        '1700000000.300000 connect(3, {sin_port=htons(80), sin_addr=inet_addr("10.0.0.5")}, 16) = -1 EINPROGRESS (x)\n',
        "[pid    12] 1700000000.400000 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---\n",
        "[pid    12] 1700000000.500000 +++ exited with 3 +++\n",
        "what strace never says\n",
    ]
    opened, executed, connected, arrived, ended = parse_trace(lines, 1)
    assert (opened.pid, opened.call, opened.error) == (1, "openat", "ENOENT")
    assert opened.subject == '/etc/a \\"b\\"'
    assert (executed.pid, executed.subject, executed.error) == (12, "cat /x", "")
    assert (connected.subject, connected.error) == ("10.0.0.5:80", "EINPROGRESS")
    assert (arrived.call, arrived.arguments, arrived.result) == ("signal", "SIGTERM", "from pid 9")
    assert (ended.call, ended.arguments) == ("end", "exited with 3")


def test_a_call_that_another_interrupted_is_put_together():
    lines = [
        '[pid 5] 1.0 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>\n',
        '[pid 6] 1.1 openat(AT_FDCWD, "/b", O_RDONLY) = 3\n',
        "[pid 5] 1.2 <... openat resumed>) = 4\n",
    ]
    second, first = parse_trace(lines, 1)
    assert (second.subject, second.result) == ("/b", "3")
    assert (first.pid, first.subject, first.result) == (5, "/a", "4")


def test_what_strace_complains_of_is_an_error():
    with pytest.raises(Refused):
        list(parse_trace(["strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n"], 1))
    with pytest.raises(PydError, match="ptrace"):
        list(parse_trace(["strace: ptrace(PTRACE_SEIZE, 1): Input/output error\n"], 1))
