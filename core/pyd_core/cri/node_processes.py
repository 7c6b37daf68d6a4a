"""Processes of a container of this machine, as the host's `ps` lists them."""

from __future__ import annotations

import asyncio
import shlex

from pyd_core.cri.node_container import NodeContainer
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.cgroup_stats import read_groups
from pyd_core.model.container import Processes
from pyd_core.sanitise import safe

MAX_OUTPUT_BYTES = 16 << 20
PS_TIMEOUT_S = 10.0


async def list_processes(container: NodeContainer, ps_args: str | None) -> Processes:
    """Return the processes in a container's cgroups.

    Raises:
        Conflict: It doesn't run.
        InvalidInput: `ps` rejects the arguments, or they leave the pid out.
    """
    groups = read_groups(container.pid) if container.pid else None
    if groups is None or not any(group_named(group, container.id) for group in groups.values()):
        raise Conflict(f"{safe(container.name)} is not running ({container.status})", reference="not-running")
    try:
        arguments = shlex.split(ps_args or "-ef")
    except ValueError as error:
        raise InvalidInput(f"not arguments of ps: {safe(ps_args or '')!r}") from error
    try:
        process = await asyncio.create_subprocess_exec(
            "/usr/bin/ps", *arguments, stdin=-3, stdout=-1, stderr=-1, limit=MAX_OUTPUT_BYTES
        )
    except FileNotFoundError:
        raise EngineError("there is no ps on this machine", hint="install procps") from None
    try:
        output, errors = await asyncio.wait_for(process.communicate(), PS_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        raise EngineError("ps didn't exit in time") from None
    if process.returncode:
        raise InvalidInput(f"ps: {safe(errors.decode(errors='replace').strip())[:300]}")
    lines = output.decode(errors="replace").splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise InvalidInput("the arguments of ps leave out the pid", hint="add pid to -o")
    column = titles.index("PID")
    rows = [line.split(None, len(titles) - 1) for line in lines[1:]]
    own = [row for row in rows if len(row) > column and row[column].isdecimal()]
    kept = [row for row in own if _is_inside(int(row[column]), groups)]
    return Processes(titles=titles, processes=kept)


def _is_inside(pid: int, groups: dict[str, str]) -> bool:
    """Return whether a process is in one of the cgroups, or below one."""
    own = read_groups(pid) or {}
    return any(
        group != "/" and (mine := own.get(name, "")) and (mine == group or mine.startswith(f"{group}/"))
        for name, group in groups.items()
    )
