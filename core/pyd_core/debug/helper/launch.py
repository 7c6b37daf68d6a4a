"""The start of a helper next to its target, with the rights of one tier after the other; again where the target ended.

A container that crashes again and again may end while a helper joins its namespaces. The error then differs with
each OCI runtime, so the engine is asked whether the target is still the same process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.helper.container import Helper
from pyd_core.debug.helper.context import HelperContext, helper_context
from pyd_core.debug.helper.link import AgentLink, TargetFacts
from pyd_core.debug.helper.plan import look
from pyd_core.debug.helper.tiers import Tier, out_of_sight
from pyd_core.debug.resolve import resolve_remote
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    KernelError,
    NotFound,
    PydError,
    Refused,
    Unsupported,
)
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

ENDED = "target-ended"
"""Reference of the error for a target that has ended before its helper was there."""

MAX_ATTEMPTS = 4
"""How often a target that ends meanwhile is entered."""

END_EVENT_TIMEOUT_S = 1.0
"""Seconds within which an engine knows that a process has ended."""
_POLL_INTERVAL_S = 0.05

Draw = Callable[[Tier, TargetFacts | None], dict[str, Any]]
"""Makes the plan of a session from the helper's rights and its agent's facts."""


class RunningHelper(NamedTuple):
    """A helper that runs next to its target.

    Attributes:
        link: The connection to its agent.
        tier: Its rights.
        facts: The agent's facts about the target; None where the rights don't suffice. Those to join always do.
        plan: The session's plan; tried out.
    """

    link: AgentLink
    tier: Tier
    facts: TargetFacts | None
    plan: dict[str, Any]


@contextmanager
def launch_with_retry(
    engine: ApiClient,
    request: SessionRequest,
    target: RemoteTarget,
    io: UserIO,
    enter: Callable[[HelperContext], AbstractContextManager[RunningHelper]],
    *,
    entered: Container | None = None,
) -> Iterator[tuple[HelperContext, RunningHelper]]:
    """Enter a target; where it ends meanwhile, look it up again and enter what it is by then.

    Args:
        engine: The engine.
        request: The session's request.
        target: The container that is meant.
        io: Shows notices and progress.
        enter: Enters the container of a context.
        entered: See `helper_context`; it is entered as it is, or not.

    Raises:
        PydError: It can't be entered, or ends each time; nothing is left.
    """
    for attempts_left in reversed(range(MAX_ATTEMPTS if entered is None else 1)):
        entered_target = False
        try:
            with helper_context(engine, request, target, io, entered=entered) as context, enter(context) as helper:
                entered_target = True
                yield context, helper
                return
        except Conflict as error:
            if entered_target or error.reference != ENDED or not attempts_left:
                raise
            io.notify(f"{error.message}; looking again")
            target = resolve_remote(engine, request.options, target.reason)


@contextmanager
def launch_helper(
    there: HelperContext, order: Sequence[Tier], draw: Draw, notify: Callable[[str], None]
) -> Iterator[RunningHelper]:
    """Launch a helper with the first rights that suffice.

    Args:
        there: The session's context.
        order: The rights to try; where the target may trace processes, those that it can't see come first.
        draw: Makes the plan.
        notify: Shows a line to the user.

    Raises:
        PydError: No rights suffice; `ENDED` where the target has ended meanwhile.
    """
    order = out_of_sight(order, there.target.host_config)
    for number, tier in enumerate(order, 1):
        with ExitStack() as stack:
            try:
                running = stack.enter_context(_start_helper(there, tier, draw))
            except (Refused, KernelError, EngineError, Unsupported) as error:
                if number == len(order) or not _may_retry_higher(error):
                    raise
                following = order[number]
                reason = f"tier {tier.number} doesn't work here: {error.message}"
                notify(f"{reason}; trying tier {following.number}: {following.gives}")
                continue
            yield running
            return


@contextmanager
def _start_helper(there: HelperContext, tier: Tier, draw: Draw) -> Iterator[RunningHelper]:
    containers, target = ContainersApi(there.engine), there.target
    shown = safe(target.name) or target.id[:12]
    with ExitStack() as stack:
        link: AgentLink | None = None
        try:
            link = stack.enter_context(Helper(there.engine, there.make(tier))).link(shown)
            stack.callback(link.close)
            facts = look(link, containers, target, tier) if tier.sees_files else None
            plan = draw(tier, facts)
            link.try_out(plan)
        except PydError as error:
            # An agent that answers runs next to a live target, unless it reports that there is none.
            answered = link is not None and not isinstance(error, (Conflict, EngineUnavailable))
            if not _has_ended(containers, target, within=0 if answered else END_EVENT_TIMEOUT_S):
                raise
            hint = f"if it crashes again and again, enter a clone: pyd debug --hold {shown}"
            raise Conflict(f"{shown} ended while it was entered", hint=hint, reference=ENDED) from error
        yield RunningHelper(link, tier, facts, plan)


def _has_ended(containers: ContainersApi, target: Container, *, within: float) -> bool:
    """Return whether the process that couldn't be entered has ended, as the engine knows within some seconds."""
    until = time.monotonic() + within
    while not (other := _is_other(containers, target)) and time.monotonic() < until:
        time.sleep(
            _POLL_INTERVAL_S
        )  # waiting for its next end would be for a later one, if this has been heard of by then
    return other


def _is_other(containers: ContainersApi, target: Container) -> bool:
    try:
        state = run_now(containers.inspect(target.id)).state
    except NotFound:
        return True
    except PydError:
        return False  # the first error says more
    return (state.pid, state.started_at) != (target.state.pid, target.state.started_at)


def _may_retry_higher(error: PydError) -> bool:
    """Return whether more rights could help: not where the command itself was at fault."""
    return not error.reference.startswith(("command-", "read-only"))
