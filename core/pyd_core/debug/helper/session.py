"""A session through a helper container: for engines elsewhere, and for users who may talk to one without being root."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from pyd_core.debug.helper import container as helpers
from pyd_core.debug.helper import image as images
from pyd_core.debug.helper.container import Helper, helper_body
from pyd_core.debug.helper.link import Facts, Link
from pyd_core.debug.helper.plan import beside_plan, joining_plan, look, shares_pids
from pyd_core.debug.helper.stand_in import standing
from pyd_core.debug.helper.tiers import ORDER, TIERS, Tier
from pyd_core.debug.machine import engine_machine
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import converse
from pyd_core.debug.reference import find_subject
from pyd_core.debug.session import Interact, ending, find_toolbox
from pyd_core.debug.session import Session as DebugSession
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import Elsewhere, refuse_other_kernels
from pyd_core.debug.toolbox import PREFIX
from pyd_core.engine.containers import Containers
from pyd_core.engine.endpoint import Endpoint
from pyd_core.engine.session import Session
from pyd_core.engine.system import System
from pyd_core.engine.transport.blocking import run_now
from pyd_core.engine.transport.choice import blocking_transport
from pyd_core.errors import EngineError, InvalidInput, KernelError, PydError, Refused, Unsupported
from pyd_core.model.container import Container
from pyd_core.sanitise import safe


def run(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    *,
    why: str,
    notify: Callable[[str], None],
    progress: images.Progress,
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
    whole = prepared(endpoint, options, why=why, notify=notify, progress=progress, ask=ask)
    with whole as there:
        code, ended = Ladder(there, options, supervisor, notify=notify, interact=interact).climb()
        if ended and there.target is there.subject and interact is None:
            notify(run_now(ending(Containers(there.engine), Elsewhere(there.subject))))
        return code


class Prepared(NamedTuple):
    """What a session through a helper takes.

    Attributes:
        engine: The engine.
        subject: What is meant.
        target: The running container to enter for it.
        make: Returns what helper to ask the engine for, by its rights.
        toolbox: The folder of the toolbox that is the helper's image.
    """

    engine: Session
    subject: Container
    target: Container
    make: Callable[[Tier], dict[str, Any]]
    toolbox: str


@contextmanager
def prepared(
    endpoint: Endpoint,
    options: DebugOptions,
    *,
    why: str,
    notify: Callable[[str], None],
    progress: images.Progress,
    ask: Callable[[str], str] | None = None,
    entered: Container | None = None,
) -> Iterator[Prepared]:
    """Gives a running container to enter for what is meant, and what else a session takes.

    Args:
        endpoint: The engine.
        options: Names what is meant.
        why: Why a helper is needed, for `--explain`.
        notify: Told lines for the user.
        progress: Told how the making of the toolbox goes, and of the engine's image of it.
        ask: As for `run`: what to do with a session's changes.
        entered: What a session is in already, the stand-in for what doesn't run; None looks for it.

    Raises:
        PydError: The session can't be; nothing is left of it.
    """
    transport = blocking_transport(endpoint, may_ask=os.isatty(2))
    engine = Session(transport, where=endpoint.url, read_only=endpoint.read_only)
    try:
        engine.require_changes()
        subject = run_now(find_subject(engine, options.target))
        if not isinstance(subject, Container):
            raise Refused("entering a process takes root on its machine", reference="not-root")
        refuse_other_kernels(subject)
        info = run_now(System(engine).info())
        machine = engine_machine(engine.where, info)
        toolbox = find_toolbox(progress, machine)
        run_now(helpers.remove_expired(Containers(engine)))
        image = run_now(images.ensure(engine, toolbox, progress))
        if options.explain:
            notify(f"way in: a helper container, because {why}")
        there = (
            nullcontext(entered)
            if entered is not None
            else standing(engine, subject, options, notify, machine=machine, ask=ask)
        )
        with there as target:

            def make(tier: Tier) -> dict[str, Any]:
                return helper_body(target, tier, image, toolbox, info, name=helpers.new_name())

            yield Prepared(engine, subject, target, make, toolbox)
    finally:
        run_now(transport.aclose())


@contextmanager
def joined(
    engine: Session,
    target: Container,
    options: DebugOptions,
    make: Callable[[Tier], dict[str, Any]],
    notify: Callable[[str], None],
) -> Iterator[tuple[Link, Tier, Facts]]:
    """Gives a connection to an agent that can enter a target, its rights and what it found.

    Args:
        engine: The container's engine.
        target: A container that runs.
        options: How it is entered.
        make: Returns what helper to ask the engine for, by its rights.
        notify: Told lines for the user.

    Raises:
        PydError: None can.
    """
    tiers = [tier for tier in TIERS if tier.joins and options.tier in (None, tier.number)]
    if not tiers:
        raise InvalidInput(f"tier {options.tier} doesn't enter the target", hint="builtins take tier 3 or 4")
    for tier in tiers:
        with Helper(engine, make(tier)) as helper:
            link = helper.link(safe(target.name) or target.id[:12])
            try:
                facts = look(link, Containers(engine), target, tier)
                link.try_out(joining_plan(target, options, tier, facts, notify))
            except (Refused, KernelError, EngineError, Unsupported) as error:
                if tier is tiers[-1]:
                    raise
                notify(f"tier {tier.number} doesn't do here: {error.message}; trying tier {tier.number + 1}")
                continue
            yield link, tier, facts
            return


@contextmanager
def one_more(
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
    whole = prepared(
        endpoint, options, why="another user's shell", notify=notify, progress=lambda *_: None, entered=entered
    )
    with (
        whole as (engine, _, target, make, toolbox),
        joined(engine, target, options, make, notify) as (link, tier, facts),
    ):
        plan = converse(joining_plan(target, options, tier, facts, notify, terminal=True))
        plan |= {"target": safe(target.name), "shared": shares_pids(target, tier), "tools": toolbox}
        supervisor.connection = link.fileno()
        yield DebugSession(Elsewhere(target), supervisor, plan)


class Ladder:
    """One session, tried with one tier's rights after the other.

    Args:
        there: What it takes.
        options: What to do.
        supervisor: Waits for its plan.
        notify: Told lines for the user.
        interact: As for `pyd_core.debug.session.run`.
    """

    def __init__(
        self,
        there: Prepared,
        options: DebugOptions,
        supervisor: Supervisor,
        *,
        notify: Callable[[str], None],
        interact: Interact | None = None,
    ) -> None:
        self._engine = there.engine
        self._containers = Containers(there.engine)
        self._target = there.target
        self._make = there.make
        self._toolbox = there.toolbox
        self._options = options
        self._supervisor = supervisor
        self._notify = notify
        self._interact = interact
        self._name = safe(there.target.name)

    def climb(self) -> tuple[int, bool]:
        """Runs the session with the rights that do; returns the exit code, and whether the target ended.

        Raises:
            PydError: None do.
        """
        order = ORDER if self._options.tier is None else (self._options.tier,)
        for number, following in itertools.pairwise(order):
            try:
                return self._run(TIERS[number])
            except (Refused, KernelError, EngineError, Unsupported) as error:
                if not _may_climb(error):
                    raise
                reason = f"tier {number} doesn't do here: {error.message}"
                self._notify(f"{reason}; trying tier {following}: {TIERS[following].gives}")
        return self._run(TIERS[order[-1]])

    def _run(self, tier: Tier) -> tuple[int, bool]:
        terminal = self._interact is not None or (os.isatty(0) and os.isatty(1))
        with Helper(self._engine, self._make(tier)) as helper:
            link = helper.link(self._name)
            facts = look(link, self._containers, self._target, tier) if tier.sees_files else None
            if tier.joins and facts is not None:
                plan = joining_plan(self._target, self._options, tier, facts, self._notify, terminal=terminal)
            else:
                plan = beside_plan(self._target, self._options, tier, facts, self._notify, terminal=terminal)
            link.try_out(plan)
            if terminal:
                where = "/ is the container's own" if tier.joins else "its files are at /target"
                self._notify(f"in {self._name}: {where}, tools come from {PREFIX}; nothing stays behind")
            if self._interact is not None:
                converse(plan)
            plan |= {"target": self._name, "shared": shares_pids(self._target, tier), "tools": self._toolbox}
            self._supervisor.connection = link.fileno()
            session = DebugSession(Elsewhere(self._target), self._supervisor, plan)
            session.noted = self._notify
            code = session.run() if self._interact is None else self._interact(session)
            return code, session.target_ended


def _may_climb(error: PydError) -> bool:
    """Whether other rights could help: not where the command itself was at fault."""
    return not error.reference.startswith(("command-", "read-only"))
