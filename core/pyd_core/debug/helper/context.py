"""What a session through a helper takes: the engine, something that runs to be entered, the helper's image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.client.transport.choice import blocking_transport
from pyd_core.debug.helper import container as helpers
from pyd_core.debug.helper import image as images
from pyd_core.debug.helper.container import helper_body
from pyd_core.debug.helper.stand_in import run_stand_in
from pyd_core.debug.helper.tiers import Tier
from pyd_core.debug.machine import engine_machine
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import find_subject
from pyd_core.debug.session import find_toolbox
from pyd_core.debug.target import refuse_other_kernels
from pyd_core.errors import Refused
from pyd_core.model.container import Container


class HelperContext(NamedTuple):
    """What a session through a helper takes.

    Attributes:
        engine: The engine.
        subject: What is meant.
        target: The running container to enter for it.
        make: Returns what helper to ask the engine for, by its rights.
        toolbox: The folder of the toolbox that is the helper's image.
    """

    engine: ApiClient
    subject: Container
    target: Container
    make: Callable[[Tier], dict[str, Any]]
    toolbox: str


@contextmanager
def helper_context(
    endpoint: Endpoint,
    options: DebugOptions,
    *,
    why: str,
    notify: Callable[[str], None],
    progress: images.Progress,
    ask: Callable[[str], str] | None = None,
    entered: Container | None = None,
) -> Iterator[HelperContext]:
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
    engine = ApiClient(transport, where=endpoint.url, read_only=endpoint.read_only)
    try:
        engine.require_writable()
        subject = run_now(find_subject(engine, options.target))
        if not isinstance(subject, Container):
            raise Refused("entering a process takes root on its machine", reference="not-root")
        refuse_other_kernels(subject)
        info = run_now(SystemApi(engine).info())
        machine = engine_machine(engine.where, info)
        toolbox = find_toolbox(progress, machine)
        run_now(helpers.remove_expired(ContainersApi(engine)))
        image = run_now(images.ensure(engine, toolbox, progress))
        if options.explain:
            notify(f"way in: a helper container, because {why}")
        there = (
            nullcontext(entered)
            if entered is not None
            else run_stand_in(engine, subject, options, notify, machine=machine, ask=ask)
        )
        with there as target:

            def make(tier: Tier) -> dict[str, Any]:
                return helper_body(target, tier, image, toolbox, info, name=helpers.new_name())

            yield HelperContext(engine, subject, target, make, toolbox)
    finally:
        run_now(transport.aclose())
