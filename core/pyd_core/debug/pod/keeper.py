"""Programs of the debug container: one keeps it alive while it is in use, the other runs a session's command in it."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.debug.pod.options import PodDebugOptions

STATE = "/tmp/.pyd"  # noqa: S108 - in the debug container, which only its user enters
POLL_INTERVAL_S = 5

KEEPER = r"""mkdir -p "$1"; idle=0; trap 'exit 0' TERM INT
while [ "$idle" -lt "$2" ]; do
  sleep "$3" & wait $!; idle=$((idle + $3))
  for file in "$1"/*; do
    [ -e "$file" ] || continue
    if [ -d "/proc/${file##*/}" ]; then idle=0; else rm -f "$file"; fi
  done
done"""
"""Ends after `$2` seconds without a session. `$1` has a file for each, named by its process id."""

SESSION = r"""state=$1; cid=$2; name=$3; shift 3
mkdir -p "$state" 2>/dev/null; : > "$state/$$" 2>/dev/null
pid=1
group="[/:-]$cid(\.scope)?(/|\$)"
if [ -n "$cid" ] && ! grep -Eq "$group" /proc/1/cgroup 2>/dev/null; then
  for p in /proc/[0-9]*; do
    if grep -Eq "$group" "$p/cgroup" 2>/dev/null; then pid=${p#/proc/}; break; fi
  done
  if [ "$pid" = 1 ] && [ -n "$name" ]; then
    for p in /proc/[0-9]*; do
      line=$(tr '\0' ' ' < "$p/cmdline" 2>/dev/null)
      if [ "$line" = "$name " ]; then pid=${p#/proc/}; break; fi
    done
  fi
fi
PYD_TARGET_PID=$pid; PYD_TARGET=/proc/$pid/root; export PYD_TARGET PYD_TARGET_PID
ln -sfn "$PYD_TARGET" /target 2>/dev/null
"""
"""Finds the target's main process: pid 1, or where the pod's containers share their processes, the one that its cgroup
or its command line names. The target's files are at `$PYD_TARGET`, and as root at `/target` too."""

_RUN = 'exec "$@"'
_SHELL = "if command -v bash > /dev/null 2>&1; then exec bash -i; else exec sh -i; fi"


def keeper_command(ttl_s: int) -> list[str]:
    """Return the debug container's main program."""
    return ["sh", "-c", KEEPER, "pyd-keeper", STATE, str(ttl_s), str(POLL_INTERVAL_S)]


def session_command(options: PodDebugOptions, *, container_id: str, command_line: Sequence[str]) -> list[str]:
    """Return the command of a session in the debug container.

    Args:
        options: What to run.
        container_id: The target's id in its runtime, without the scheme; empty where it isn't known.
        command_line: The target's program and arguments, by which it is found among the pod's processes.
    """
    program = ["sh", "-c", options.line] if options.line is not None else [*options.command]
    script = SESSION + (_RUN if program else _SHELL)
    return ["sh", "-c", script, "pyd-session", STATE, container_id, " ".join(command_line), *program]
