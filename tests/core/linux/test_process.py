"""Holding a process so that no other is taken for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyd_core.linux.process import ProcessEntry, counts_as_host, is_alive


def test_a_process_that_ended_cannot_be_read_any_more():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with ProcessEntry(process.pid) as entry:
            start = entry.start
            assert start > 0
            assert is_alive(process.pid, start)
            assert not is_alive(process.pid, start + 1)
            process.communicate(b"\n")
            with pytest.raises(ProcessLookupError):
                entry.read("status")
        assert not is_alive(process.pid, start)


def test_there_is_no_entry_for_a_process_that_never_was():
    with pytest.raises(ProcessLookupError):
        ProcessEntry(2**22 + 1)


def test_this_process_is_read_as_the_kernel_tells_it():
    with ProcessEntry(os.getpid()) as entry:
        status = entry.status()
    assert (status.uid, status.gid) == (os.geteuid(), os.getegid())


def test_pids_are_the_hosts_in_the_first_namespace_alone():
    assert counts_as_host() == (Path("/proc/self/ns/pid").readlink() == Path("pid:[4026531836]"))
