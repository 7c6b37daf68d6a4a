"""A session through a helper container: for engines elsewhere, and for users who may talk to one without being root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.helper.context import HelperContext, helper_context
from pyd_core.debug.helper.launch import RunningHelper, launch_helper, launch_with_retry
from pyd_core.debug.helper.link import TargetFacts
from pyd_core.debug.helper.plan import beside_plan, joining_plan, shares_pids
from pyd_core.debug.helper.tiers import ORDER, TIERS, Tier
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import converse
from pyd_core.debug.resolve import open_engine, resolve_remote
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.target_exit import describe_exit
from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container
from pyd_core.sanitise import safe


def run(engine: ApiClient, request: SessionRequest, target: RemoteTarget, supervisor: Supervisor, io: UserIO) -> int:
    """Run a session on this process's descriptors 0 to 2; return the command's exit code, 128 + n for signal n.

    Args:
        engine: The engine that has the container.
        request: The session's request.
        target: The container.
        supervisor: Waits for its plan.
        io: Shows notices and the progress of the toolbox and its image; asks what to do with changes.

    Raises:
        PydError: The session failed; nothing is left of it.
    """
    options, interact = request.options, request.interact
    terminal = interact is not None or (os.isatty(0) and os.isatty(1))
    order = [TIERS[number] for number in (ORDER if options.tier is None else (options.tier,))]

    def enter(context: HelperContext) -> AbstractContextManager[RunningHelper]:
        def draw(tier: Tier, facts: TargetFacts | None) -> dict[str, Any]:
            if tier.joins and facts is not None:
                return joining_plan(context.target, options, tier, facts, io.notify, terminal=terminal)
            return beside_plan(context.target, options, tier, facts, io.notify, terminal=terminal)

        return launch_helper(context, order, draw, io.notify)

    with launch_with_retry(engine, request, target, io, enter) as (context, (link, tier, _, plan)):
        name = safe(context.target.name)
        if terminal:
            where = "you see the container's files" if tier.joins else "its files are at /target"
            io.notify(f"in {name}: {where}; tools are in {PREFIX} and vanish on exit")
        if interact is not None:
            converse(plan)
        plan |= {"target": name, "shared": shares_pids(context.target, tier), "tools": context.toolbox}
        supervisor.connection = link.fileno()
        session = DebugSession(RemoteTarget(context.target), supervisor, plan)
        session.on_line = io.notify
        code = session.run() if interact is None else interact(session)
        if session.target_ended and context.target is context.subject and interact is None:
            io.notify(run_now(describe_exit(ContainersApi(engine), RemoteTarget(context.subject))))
        return code


def launch_joining_helper(
    context: HelperContext, options: DebugOptions, io: UserIO, *, terminal: bool = False
) -> AbstractContextManager[RunningHelper]:
    """Launch a helper whose agent can enter the target.

    Args:
        context: The session's context.
        options: The options for entering it.
        io: Shows notices.
        terminal: Give the plan's command a pty.

    Raises:
        PydError: No tier's helper can enter it.
    """
    tiers = [tier for tier in TIERS if tier.joins and options.tier in (None, tier.number)]
    if not tiers:
        raise InvalidInput(f"tier {options.tier} doesn't enter the target", hint="builtins take tier 3 or 4")

    def draw(tier: Tier, facts: TargetFacts | None) -> dict[str, Any]:
        return joining_plan(context.target, options, tier, cast("TargetFacts", facts), io.notify, terminal=terminal)

    return launch_helper(context, tiers, draw, io.notify)


@contextmanager
def additional_session(
    request: SessionRequest, entered: Container, supervisor: Supervisor, io: UserIO
) -> Iterator[DebugSession]:
    """Prepare another shell in a session's container, through a helper of its own; the session isn't started yet.

    Args:
        request: The engine, and the new session's identity.
        entered: The container that the first session is in.
        supervisor: Waits for its plan.
        io: Shows notices.

    Raises:
        PydError: There can be none.
    """
    with open_engine(request.endpoint) as engine:
        target = resolve_remote(engine, request.options, "another user's shell")
        with (
            helper_context(engine, request, target, io, entered=entered) as context,
            launch_joining_helper(context, request.options, io, terminal=True) as (link, tier, _, plan),
        ):
            container = context.target
            converse(plan)
            plan |= {"target": safe(container.name), "shared": shares_pids(container, tier), "tools": context.toolbox}
            supervisor.connection = link.fileno()
            yield DebugSession(RemoteTarget(container), supervisor, plan)
