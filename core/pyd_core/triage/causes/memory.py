"""Memory: the container's limit, the machine's, the program's own."""

from __future__ import annotations

from pyd_core.triage.causes.cause import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        "oom-killed",
        "memory",
        70,
        "broken",
        "The kernel killed its main process: the container's memory limit was reached.",
        "Raise the limit if the need is real, else find what eats the memory.",
    ),
    Cause(
        "oom-child",
        "memory",
        42,
        "broken",
        "The kernel killed a process in it at its memory limit; the main process lived on.",
        "Raise the limit, or run fewer workers; the main process may not have noticed.",
    ),
    Cause(
        "oom-host",
        "memory",
        70,
        "broken",
        "The machine ran out of memory and the kernel chose a process of this container.",
        "Give containers limits, or the machine more memory.",
    ),
    Cause(
        "app-heap-exhausted",
        "memory",
        51,
        "broken",
        "The program's own runtime reached its heap limit; the kernel killed nothing.",
        "Raise the runtime's limit (-Xmx, --max-old-space-size, GOMEMLIMIT) together with the container's.",
    ),
    Cause(
        "memory-rlimit",
        "memory",
        51,
        "broken",
        "An allocation was refused by a resource limit (ulimit), not by the container's limit.",
        "Raise the limit where it is set: --ulimit data=…, or `ulimit -v` in its start script.",
    ),
    Cause(
        "memory-near-limit",
        "memory",
        25,
        "notice",
        "It uses nearly all the memory it may.",
        "Raise the limit before the kernel kills it, or find what grows.",
    ),
)
