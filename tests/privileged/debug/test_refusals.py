"""Refusals and failures on the way in: they are reported, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import make_plan
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import running_target
from pyd_core.errors import Conflict
from pyd_core.model.base import decode
from pyd_core.model.container import Container
from support.debugging import Run, command, main_pid, sessions_left
from support.docker import LONE, Docker, compile_static

OLD_KERNEL = """
import ctypes, os, struct, sys
steps = ((0x20, 0, 0, 0), (0x15, 0, 1, 442), (0x06, 0, 0, 0x50026), (0x06, 0, 0, 0x7FFF0000))
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
program = struct.pack("@HP", len(steps), ctypes.addressof(code))
call = ctypes.CDLL(None).prctl
words = [ctypes.c_ulong(word) for word in (1, 0, 0, 0)]
assert call(38, *words) == 0 and call(22, ctypes.c_ulong(2), program) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Has a program, and all it starts, find the kernel as Linux 5.10 is, which has no mount_setattr(2): by a filter that
answers ENOSYS, since the join takes nothing of its caller's environment."""

TRACER = """
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>
int main(void) {
    puts("at it");
    for (;;) {
        DIR *all = opendir("/proc");
        for (struct dirent *entry; (entry = readdir(all));) {
            int pid = atoi(entry->d_name), memory;
            char path[64];
            if (pid <= 1) continue;
            snprintf(path, sizeof path, "/proc/%d/mem", pid);
            if ((memory = open(path, O_RDWR)) >= 0) { printf("memory of %d\\n", pid); close(memory); }
            snprintf(path, sizeof path, "/proc/%d/root/dev/.pyd", pid);
            if (!access(path, F_OK)) printf("root of %d\\n", pid);
            snprintf(path, sizeof path, "/proc/%d/fd", pid);
            DIR *files = opendir(path);
            if (files) {
                for (struct dirent *file; (file = readdir(files));)
                    if (file->d_name[0] != '.' && readlinkat(dirfd(files), file->d_name, path, sizeof path) > 0)
                        printf("descriptor %s of %d\\n", file->d_name, pid);
                closedir(files);
            }
            if (!ptrace(PTRACE_SEIZE, pid, 0, 0)) printf("seized %d\\n", pid);
        }
        closedir(all);
        fflush(stdout);
    }
}
"""
"""A first process that goes for whatever else comes into its pid namespace, as fast as it can."""


def test_a_target_that_goes_while_it_is_joined(docker: Docker, distroless: str):
    name = docker.run("going", distroless, options=LONE)
    target = running_target(decode(docker("inspect", "-f", "{{json .}}", name).encode(), Container))
    plan = make_plan(target, DebugOptions(target=name, line="true"), os.environ.get("TMPDIR", "/tmp"), terminal=False)
    docker("rm", "-f", name)
    supervisor = Supervisor()
    try:
        with pytest.raises(Conflict) as caught:
            DebugSession(target, supervisor, plan).run()
    finally:
        supervisor.close()
    assert caught.value.reference == "not-running"
    assert "has just ended" in caught.value.message
    assert sessions_left() == []


def test_a_kernel_without_the_calls_that_a_view_takes_is_named(locked: str):
    done = subprocess.run(
        [sys.executable, "-c", OLD_KERNEL, *command(locked, "-c", "true")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 125
    assert "this kernel has no mount_setattr" in done.stderr
    assert "Linux 5.12 or newer" in done.stderr
    assert sessions_left() == []


def test_a_target_that_traces_whatever_it_sees_gets_nothing_of_a_session(debug: Run, docker: Docker, tmp_path: Path):
    tracer = compile_static(TRACER, tmp_path / "tracer")
    name = docker.run("tracer", docker.image("tracer", {"app": tracer}, 'CMD ["/app"]'), options=LONE)
    mounts = Path(f"/proc/{main_pid(docker, name)}/mountinfo").read_text()
    for _ in range(3):
        done = debug(
            name, "-c", "ls -d /app; for i in 1 2 3 4 5; do @cat /proc/self/status >/dev/null; done; echo through"
        )
        assert done.stdout.split() == ["/app", "through"], done.stderr
    assert docker("logs", name) == "at it"
    assert Path(f"/proc/{main_pid(docker, name)}/mountinfo").read_text() == mounts
    assert sessions_left() == []
