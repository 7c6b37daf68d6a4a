"""Causes about memory: limits of the container, the machine and the program."""

from __future__ import annotations

from pyd_core.triage.causes.cause import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        "oom-killed",
        "memory",
        70,
        "broken",
        "The kernel killed its main process at the container's memory limit.",
        "Raise the limit if the program needs the memory, otherwise find the leak.",
    ),
    Cause(
        "oom-child",
        "memory",
        42,
        "broken",
        "The kernel killed one of its processes at the memory limit; the main process survived.",
        "Raise the limit, or run fewer workers; the main process may not have noticed.",
    ),
    Cause(
        "oom-host",
        "memory",
        70,
        "broken",
        "The machine ran out of memory and the kernel killed a process of this container.",
        "Set memory limits on containers, or add memory to the machine.",
    ),
    Cause(
        "app-heap-exhausted",
        "memory",
        51,
        "broken",
        "The program's runtime reached its heap limit; the kernel killed nothing.",
        "Raise the runtime's limit (-Xmx, --max-old-space-size, GOMEMLIMIT) together with the container's.",
    ),
    Cause(
        "memory-rlimit",
        "memory",
        51,
        "broken",
        "A resource limit (ulimit) refused an allocation; the container's memory limit wasn't involved.",
        "Raise the limit where it is set: --ulimit data=…, or `ulimit -v` in its start script.",
    ),
    Cause(
        "memory-near-limit",
        "memory",
        25,
        "notice",
        "It is close to its memory limit.",
        "Raise the limit before the kernel kills it, or find what grows.",
    ),
)
