"""Plans for a helper's agent, made from its facts about the target."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.environment import build_environment, file_names, searched_paths
from pyd_core.debug.explain import confinement
from pyd_core.debug.helper import TOOLBOX
from pyd_core.debug.helper.link import AgentLink, TargetFacts
from pyd_core.debug.helper.tiers import Tier
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import command_line, terminal_size
from pyd_core.debug.sessions.credentials import ProcessCredentials, choose_credentials, is_confined, names
from pyd_core.debug.system_call_filter import session_filter
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import Conflict, InvalidInput
from pyd_core.linux.process import parse_status
from pyd_core.model.container import Container
from pyd_core.passwd import find_home
from pyd_core.sanitise import safe


def shares_pids(target: Container, tier: Tier) -> bool:
    """Return whether a helper for a target is in a pid namespace that ends with the target."""
    return not tier.privileged and target.host_config.pid_mode in ("", "private")


def look(link: AgentLink, containers: ContainersApi, target: Container, tier: Tier) -> TargetFacts:
    """Have the agent find the target.

    Raises:
        PydError: It isn't there any more, or may not be seen.
    """
    pid = 1 if shares_pids(target, tier) else 0
    if tier.privileged or target.host_config.pid_mode == "host":
        pid = target.state.pid
    facts = look_at(link, target, target.id, pid=pid)
    if pid > 1:
        # Only now: when the engine names this process before and after it was looked at, it is the container's.
        state = run_now(containers.inspect(target.id)).state
        if (state.pid, state.started_at) != (pid, target.state.started_at):
            raise Conflict(f"{safe(target.name)} has just ended", reference="not-running")
    return facts


def look_at(link: AgentLink, target: Container, identity: str, *, pid: int = 1) -> TargetFacts:
    """Have the agent find a process.

    Args:
        link: The connection to it.
        target: The container.
        identity: Its id in its runtime, by which cgroups are named; the process is searched by it if `pid` is 0.
        pid: The process as the agent sees it.

    Raises:
        PydError: It isn't there, or may not be seen.
    """
    return link.look(
        pid=pid,
        container=identity,
        init=bool(target.host_config.init),
        paths=[*searched_paths(), "/root"],
        tools=file_names(),
    )


def joining_plan(
    target: Container,
    options: DebugOptions,
    tier: Tier,
    facts: TargetFacts,
    notify: Callable[[str], None],
    *,
    terminal: bool = False,
) -> dict[str, Any]:
    """Return the plan of a session whose root is the target's, as `join.supervise` takes it."""
    own = parse_status(facts.own)
    credentials = choose_credentials(
        options.identity,
        parse_status(facts.status),
        uid_map=facts.uid_map,
        gid_map=facts.gid_map,
        own_bounding=own.bounding,
        shared=_host_namespaces(target),
        added=options.capabilities,
    )
    if lacking := credentials.permitted & ~own.permitted:
        notify(f"not taken over, as the helper lacks them: {', '.join(names(lacking))}")
    credentials = credentials.within(own.permitted)
    if options.explain:
        for line in explain(target, tier, facts, credentials, options.identity):
            notify(line)
    home = find_home(facts.passwd, credentials.uid, has_root="/root" in facts.exists)
    where = {"pid": facts.pid, "start": facts.start, "cwd": target.config.working_dir or "/"}
    return {**_plan(target, options, credentials, home, facts, terminal=terminal), **where}


def _host_namespaces(target: Container) -> list[str]:
    """Return the namespaces of a container that are its host's, by its inspect data."""
    host = target.host_config
    modes = {"pid": host.pid_mode, "net": host.network_mode, "ipc": host.ipc_mode}
    return [kind for kind, mode in modes.items() if mode == "host"]


def beside_plan(
    target: Container,
    options: DebugOptions,
    tier: Tier,
    facts: TargetFacts | None,
    notify: Callable[[str], None],
    *,
    terminal: bool = False,
) -> dict[str, Any]:
    """Return the plan of a session in the helper's own root, with the rights it has.

    Raises:
        InvalidInput: What is asked for needs the target's root.
    """
    if options.identity != "root" or options.writable or options.capabilities:
        raise InvalidInput(f"tier {tier.number} doesn't enter the target", hint="leave out --as, --rw and --cap-add")
    if options.explain:
        notify(f"tier {tier.number}: {tier.gives}; capabilities: {', '.join(tier.capabilities) or 'none'}")
    return {**_plan(target, options, None, "/", facts, terminal=terminal), "pid": 0, "cwd": "/"}


def _plan(
    target: Container,
    options: DebugOptions,
    credentials: ProcessCredentials | None,
    home: str,
    facts: TargetFacts | None,
    *,
    terminal: bool,
) -> dict[str, Any]:
    config = target.config
    joins = credentials is not None
    hostname = [f"HOSTNAME={config.hostname}"] if config.hostname else []
    environment = build_environment(
        [*config.env, *hostname] if joins else [],
        terminal=os.environ.get("TERM", "xterm") if terminal else "",
        name=safe(target.name),
        home=home,
        exists=lambda path: joins and facts is not None and path in facts.exists,
        tools={name: facts is None or name in facts.tools for name in file_names()},
        tools_first=options.path == "tools",
    )
    return {
        "client": 0,  # the agent puts itself in
        "toolbox": TOOLBOX,
        "prefix": PREFIX,
        "writable": options.writable,
        "groups": [],  # the limits are the helper container's own
        "terminal": terminal_size() if terminal else None,
        "credentials": credentials and credentials.plan(),
        # A process under a filter, as the engine gave the helper, may not read another's.
        "confined": is_confined(options.identity) and facts is not None and not parse_status(facts.own).seccomp,
        "filter": session_filter(tracer=options.identity == "tracer").hex(),
        "tracing": options.identity == "tracer",
        "env": environment,
        "argv": command_line(options, terminal=terminal),
    }


def explain(
    target: Container, tier: Tier, facts: TargetFacts, credentials: ProcessCredentials, identity: str
) -> list[str]:
    """Return lines for the user: how the session gets in, and what it may do."""
    rights = "everything (privileged)" if tier.privileged else ", ".join(tier.capabilities)
    own, theirs = parse_status(facts.own), parse_status(facts.status)
    rest = ", ".join(names(credentials.effective)) or "none"
    lines = [
        f"tier {tier.number}: {tier.gives}; the helper may {rights}",
        f"process {facts.pid} of {safe(target.name)} as the helper counts; entered: {', '.join(facts.namespaces)}",
        f"files: a private copy of its mounts; in this copy alone, the helper's toolbox is at {PREFIX}",
        f"user {credentials.uid}, group {credentials.gid}, capabilities: {rest}",
        "limits: those of the helper container, which the engine removes at the end",
    ]
    if own.seccomp:
        missing = (
            "what confines it; the session has the helper's filter, which is the engine's (--tier 4 takes its own over)"
        )
        return [*lines, f"not taken over: {missing}"] if theirs.seccomp else lines
    return [*lines, *confinement(target, theirs, confined=is_confined(identity))]
