"""Causes about a container's present state."""

from __future__ import annotations

from pyd_core.triage.causes.cause import Cause

CAUSES: tuple[Cause, ...] = (
    Cause("running-ok", "state", 10, "fine", "It is running without visible problems.", "None needed."),
    Cause("paused", "state", 22, "notice", "It is paused.", "Unpause it."),
    Cause(
        "restart-loop",
        "state",
        21,
        "broken",
        "It keeps exiting and being restarted.",
        "Stop it to investigate; the cause is why it exits.",
    ),
    Cause("unhealthy", "state", 23, "broken", "Its health probe fails.", "Run the probe by hand in the container."),
    Cause(
        "healthcheck-broken",
        "state",
        28,
        "broken",
        "Its health probe can't run; the program itself may be fine.",
        "Use a probe that the image contains: many images have neither curl nor a shell.",
    ),
    Cause(
        "cpu-throttled",
        "state",
        21,
        "notice",
        "Its CPU limit throttles it much of the time.",
        "Raise --cpus, or use fewer threads.",
    ),
    Cause(
        "engine-permission",
        "state",
        60,
        "broken",
        "No permission to use the engine's socket.",
        "Join the engine's group (then log in again), or use sudo.",
    ),
    Cause(
        "engine-unreachable",
        "state",
        60,
        "broken",
        "The engine can't be reached.",
        "Start it, or choose another with --host.",
    ),
    Cause(
        "unknown",
        "state",
        0,
        "broken",
        "The available evidence doesn't show the cause.",
        "Read its output, and run again as root on the engine's host.",
    ),
)
