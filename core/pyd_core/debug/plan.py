"""The plan of a session as plain data, which `join.supervise` carries out."""

from __future__ import annotations

import os
from typing import Any

from pyd_core.debug import cgroup
from pyd_core.debug.channel import CHANNEL, CONVERSING, SILENT
from pyd_core.debug.environment import build_environment, file_names
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.sessions.credentials import WITHHELD, ProcessCredentials, choose_credentials, is_confined
from pyd_core.debug.system_call_filter import session_filter
from pyd_core.debug.target import LocalTarget
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import open_in_root, read_in_root
from pyd_core.linux.process import ProcessEntry, parse_status
from pyd_core.passwd import find_home


def make_plan(
    target: LocalTarget, options: DebugOptions, toolbox: str, *, terminal: bool, conversing: bool = False
) -> dict[str, Any]:
    """Return the plan of a session, as plain data.

    Args:
        target: The container.
        options: The session's options.
        toolbox: The toolbox's directory.
        terminal: Whether the command gets a pty.
        conversing: The command is a bash that is given its lines by a program (`pyd_core.debug.bash`).
    """
    process, config = target.process, target.container.config
    uid_map, gid_map = process.read("uid_map").decode(), process.read("gid_map").decode()
    with open("/proc/self/status", encoding="utf-8") as file:
        own = parse_status(file.read())
    credentials = choose_credentials(
        options.identity,
        process.status(),
        uid_map=uid_map,
        gid_map=gid_map,
        own_bounding=own.bounding,
        shared=shared_namespaces(process),
        added=options.capabilities,
    )
    environment = build_environment(
        [*config.env, *([f"HOSTNAME={config.hostname}"] if config.hostname else [])],
        terminal=os.environ.get("TERM", "xterm") if terminal else "",
        name=target.name,
        home=_home(process.descriptor, credentials),
        exists=lambda path: _exists(process.descriptor, path),
        tools={name: os.path.exists(f"{toolbox}/{name}") for name in file_names()},
        tools_first=options.path == "tools",
    )
    groups = cgroup.plan_groups(
        cgroup.CGROUPS,
        process.read("cgroup").decode(errors="replace"),
        host_memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        devices=target.devices,
        privileged=target.container.host_config.privileged or not target.container.id,
        limited=options.identity == "target",
    )
    cgroup.remove_stale([group["parent"] for group in groups])
    plan: dict[str, Any] = {
        "client": os.getpid(),
        "pid": process.pid,
        "start": process.start,
        "toolbox": toolbox,
        "prefix": PREFIX,
        "writable": options.writable,
        "groups": groups,
        "terminal": terminal_size() if terminal else None,
        "channel": None,
        "credentials": credentials.plan(),
        "confined": is_confined(options.identity),
        "filter": session_filter(tracer=options.identity == "tracer").hex(),
        "tracing": options.identity == "tracer",
        "cwd": config.working_dir or "/",
        "env": environment,
        "argv": command_line(options, terminal=terminal),
    }
    return converse(plan) if conversing else plan


def shared_namespaces(process: ProcessEntry) -> list[str]:
    """Return which namespaces of a process are this one's too."""
    return [
        kind
        for kind in WITHHELD
        if os.stat(f"/proc/self/ns/{kind}").st_ino == os.stat(f"ns/{kind}", dir_fd=process.descriptor).st_ino
    ]


def converse(plan: dict[str, Any]) -> dict[str, Any]:
    """Make a plan's command a bash that is given its lines by a program, and return the plan."""
    plan |= {"channel": CHANNEL, "env": plan["env"] | SILENT, "argv": CONVERSING}
    return plan


def command_line(options: DebugOptions, *, terminal: bool) -> list[str]:
    """Return the program to run and its arguments: our bash, unless a program is named."""
    if options.command:
        return list(options.command)
    bash = [f"{PREFIX}/bin/bash", "--noprofile", "--norc"]  # start-up files here are the container's
    if options.line is not None:
        return [*bash, "-c", options.line]
    if options.shell not in ("pyd", "bash"):
        return [options.shell, "-i"] if terminal else [options.shell]
    return [*bash, "-i"] if terminal else bash


def terminal_size() -> tuple[int, int]:
    """Return the rows and columns of this process's terminal; 24 by 80 without one."""
    from pyd_core.debug.terminal import window_size  # noqa: PLC0415 - only a terminal needs it

    return window_size(1) if os.isatty(1) else (24, 80)


def _exists(process: int, path: str) -> bool:
    """Return whether the container has a path; a symlink at its end counts, and is not followed."""
    try:
        root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    except OSError:
        return False
    try:
        os.close(open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW))
    except KernelError:
        return False
    finally:
        os.close(root)
    return True


def _home(process: int, credentials: ProcessCredentials) -> str:
    """Return the home directory that the container's own passwd file gives the session's user."""
    root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    try:
        passwd = read_in_root(root, "etc/passwd", 1 << 20)
    finally:
        os.close(root)
    return find_home(passwd, credentials.uid, has_root=_exists(process, "/root"))
