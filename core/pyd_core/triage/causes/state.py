"""What state it is in."""

from __future__ import annotations

from pyd_core.triage.causes.cause import Cause

CAUSES: tuple[Cause, ...] = (
    Cause("running-ok", "state", 10, "fine", "It runs, and nothing is wrong that can be seen.", "Nothing."),
    Cause("paused", "state", 22, "notice", "All its processes are frozen.", "Unpause it."),
    Cause(
        "restart-loop",
        "state",
        21,
        "broken",
        "It keeps ending and being restarted.",
        "Stop it to look at it in peace; the cause is in why it ends.",
    ),
    Cause("unhealthy", "state", 23, "broken", "Its health probe fails.", "Run the probe by hand in the container."),
    Cause(
        "healthcheck-broken",
        "state",
        28,
        "broken",
        "Its health probe can't run at all; the program may be well.",
        "Use a probe the image has: many lack curl and a shell.",
    ),
    Cause(
        "cpu-throttled",
        "state",
        21,
        "notice",
        "Its CPU limit holds it back much of the time.",
        "Raise --cpus, or use fewer threads.",
    ),
    Cause(
        "engine-permission",
        "state",
        60,
        "broken",
        "No right to talk to the engine.",
        "Join the engine's group (log in again after), or use sudo.",
    ),
    Cause(
        "engine-unreachable",
        "state",
        60,
        "broken",
        "The engine doesn't answer.",
        "Start it, or choose another with --host.",
    ),
    Cause(
        "unknown",
        "state",
        0,
        "broken",
        "What could be read doesn't say.",
        "Read its output, and run again as root on the engine's host.",
    ),
)
