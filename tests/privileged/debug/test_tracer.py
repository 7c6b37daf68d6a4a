"""`--as tracer`: what a session may ask the kernel for that others may not, and what the target sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.debug.sessions.credentials import TRACER, mask
from support.connections import Way, ways
from support.debugging import Run, main_pid
from support.docker import Docker

KERNEL = Path("/proc/filesystems").read_text().split()
OWN = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line).split()[1], 16)
pytestmark = pytest.mark.skipif(
    "tracefs" not in KERNEL or "bpf" not in KERNEL or bool(mask("bpf", "perfmon") & ~OWN),
    reason="this kernel, or what confines these tests, allows no tracing",
)

LOAD = """
import ctypes, os, struct
code = ctypes.create_string_buffer(struct.pack("<QQ", 0x00000000000000B7, 0x0000000000000095))  # r0 = 0; exit
name = ctypes.create_string_buffer(b"GPL")
words = struct.pack("=IIQQ", 5, 2, ctypes.addressof(code), ctypes.addressof(name)).ljust(120, bytes(1))
number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
print("loaded" if libc.syscall(number, 5, words, len(words)) >= 0 else os.strerror(ctypes.get_errno()))
"""
"""Loads the smallest program for a tracepoint there can be: bpf(2), BPF_PROG_LOAD, BPF_PROG_TYPE_TRACEPOINT."""


def test_a_tracer_loads_programs_and_root_does_not(debug: Run, locked: str):
    for identity, expected in (("tracer", "loaded"), ("root", "Operation not permitted")):
        done = debug("--as", identity, locked, "--", "/dev/.pyd/bin/python3", "-c", LOAD)
        assert done.stdout == f"{expected}\n", (identity, done.stderr)


def test_a_tracer_is_a_debugger_with_a_few_rights_more(debug: Run, locked: str):
    status = debug(
        "--as", "tracer", locked, "-c", "grep -E '^(Uid|CapEff|CapBnd|Seccomp|NoNewPrivs):' /proc/self/status"
    )
    pairs = (line.partition(":") for line in status.stdout.splitlines())
    status_fields = {name: rest.split() for name, _, rest in pairs}
    assert status_fields["Uid"] == ["0"] * 4
    assert int(status_fields["CapEff"][0], 16) == int(status_fields["CapBnd"][0], 16) == TRACER & OWN
    assert (status_fields["Seccomp"], status_fields["NoNewPrivs"]) == (["2"], ["0"])


def test_the_kernels_events_are_seen_by_a_tracer_alone_and_changed_by_nobody(debug: Run, docker: Docker, busybox: str):
    name = docker.run("traced", busybox, "sleep", "1000", options=("--network", "none", "--stop-signal", "KILL"))
    mounts = Path(f"/proc/{main_pid(docker, name)}/mountinfo")
    before = mounts.read_text()
    line = "cd /sys/kernel/tracing; @stat -fc %T .; : > trace; ls /proc/1/root/sys/kernel/tracing | wc -l"
    done = debug("--as", "tracer", name, "-c", line)
    assert done.stdout == "tracefs\n0\n", done.stderr
    assert "Read-only file system" in done.stderr
    assert debug(name, "-c", "ls /sys/kernel/tracing | wc -l").stdout == "0\n"
    assert docker("exec", name, "ls", "/sys/kernel/tracing") == ""
    assert mounts.read_text() == before
    assert docker("diff", name) == ""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """A user who isn't root and may use the engine."""
    with ways(tmp_path_factory.mktemp("ways")) as connections:
        yield connections["user"]


def test_through_a_helper_it_takes_one_with_all_rights_and_that_is_told(user: Way, locked: str):
    done = user.debug("--as", "tracer", locked, "--", "/dev/.pyd/bin/python3", "-c", LOAD)
    assert done.stdout == b"loaded\n", done.stderr
    assert b"tier 3 doesn't work here: tracing the kernel takes rights" in done.stderr
    assert b"trying tier 4: everything" in done.stderr


def test_a_target_without_sysfs_is_entered_all_the_same(debug: Run, docker: Docker, busybox: str):
    name = docker.run("bare-sys", busybox, "sleep", "1000", options=("--network", "none", "--tmpfs", "/sys"))
    assert debug("--as", "tracer", name, "-c", "ls /sys; echo there").stdout == "there\n"
