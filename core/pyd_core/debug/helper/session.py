"""A session through a helper container: for engines elsewhere, and for users who may talk to one without being root."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.helper.context import HelperContext, helper_context
from pyd_core.debug.helper.image import Progress
from pyd_core.debug.helper.launch import RunningHelper, launch_helper, launch_with_retry
from pyd_core.debug.helper.link import TargetFacts
from pyd_core.debug.helper.plan import beside_plan, joining_plan, shares_pids
from pyd_core.debug.helper.tiers import ORDER, TIERS, Tier
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import converse
from pyd_core.debug.session import DebugSession, Interact, describe_exit
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container
from pyd_core.sanitise import safe


def run(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    *,
    why: str,
    notify: Callable[[str], None],
    progress: Progress,
    ask: Callable[[str], str] | None = None,
    interact: Interact | None = None,
) -> int:
    """Runs a session on this process's descriptors 0 to 2 and returns the command's exit code, 128 + n for signal n.

    Args:
        endpoint: The engine that has the container.
        options: What to do.
        supervisor: Waits for its plan.
        why: Why a helper is needed, for `--explain`.
        notify: Told lines for the user.
        progress: Told how the making of the toolbox goes, and of the engine's image of it.
        ask: Shows a question and returns the answer; None without a terminal.
        interact: As for `pyd_core.debug.session.run`.

    Raises:
        PydError: The session couldn't be; nothing is left of it.
    """
    terminal = interact is not None or (os.isatty(0) and os.isatty(1))
    order = [TIERS[number] for number in (ORDER if options.tier is None else (options.tier,))]

    def prepare() -> AbstractContextManager[HelperContext]:
        return helper_context(endpoint, options, why=why, notify=notify, progress=progress, ask=ask)

    def enter(there: HelperContext) -> AbstractContextManager[RunningHelper]:
        def draw(tier: Tier, facts: TargetFacts | None) -> dict[str, Any]:
            if tier.joins and facts is not None:
                return joining_plan(there.target, options, tier, facts, notify, terminal=terminal)
            return beside_plan(there.target, options, tier, facts, notify, terminal=terminal)

        return launch_helper(there, order, draw, notify)

    with launch_with_retry(prepare, enter, notify) as (there, (link, tier, _, plan)):
        name = safe(there.target.name)
        if terminal:
            where = "/ is the container's own" if tier.joins else "its files are at /target"
            notify(f"in {name}: {where}, tools come from {PREFIX}; nothing stays behind")
        if interact is not None:
            converse(plan)
        plan |= {"target": name, "shared": shares_pids(there.target, tier), "tools": there.toolbox}
        supervisor.connection = link.fileno()
        session = DebugSession(RemoteTarget(there.target), supervisor, plan)
        session.noted = notify
        code = session.run() if interact is None else interact(session)
        if session.target_ended and there.target is there.subject and interact is None:
            notify(run_now(describe_exit(ContainersApi(there.engine), RemoteTarget(there.subject))))
        return code


def joined(
    there: HelperContext, options: DebugOptions, notify: Callable[[str], None], *, terminal: bool = False
) -> AbstractContextManager[RunningHelper]:
    """Gives an agent that can enter the target.

    Args:
        there: What a session takes.
        options: How the target is entered.
        notify: Told lines for the user.
        terminal: Whether its plan's command gets a pty.

    Raises:
        PydError: None can.
    """
    tiers = [tier for tier in TIERS if tier.joins and options.tier in (None, tier.number)]
    if not tiers:
        raise InvalidInput(f"tier {options.tier} doesn't enter the target", hint="builtins take tier 3 or 4")

    def draw(tier: Tier, facts: TargetFacts | None) -> dict[str, Any]:
        return joining_plan(there.target, options, tier, cast("TargetFacts", facts), notify, terminal=terminal)

    return launch_helper(there, tiers, draw, notify)


@contextmanager
def additional_session(
    endpoint: Endpoint,
    options: DebugOptions,
    entered: Container,
    supervisor: Supervisor,
    *,
    notify: Callable[[str], None],
) -> Iterator[DebugSession]:
    """Gives another session for a shell in what one is in already, through a helper of its own, not started yet.

    Args:
        endpoint: The engine.
        options: Who it is.
        entered: What the first session is in.
        supervisor: Waits for its plan.
        notify: Told lines for the user.

    Raises:
        PydError: There can be none.
    """
    whole = helper_context(
        endpoint, options, why="another user's shell", notify=notify, progress=lambda *_: None, entered=entered
    )
    with whole as there, joined(there, options, notify, terminal=True) as (link, tier, _, plan):
        target = there.target
        converse(plan)
        plan |= {"target": safe(target.name), "shared": shares_pids(target, tier), "tools": there.toolbox}
        supervisor.connection = link.fileno()
        yield DebugSession(RemoteTarget(target), supervisor, plan)
