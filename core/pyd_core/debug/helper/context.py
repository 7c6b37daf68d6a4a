"""The context of a session through a helper: the engine, a running container to enter, the helper's image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.helper import container as helpers
from pyd_core.debug.helper import image as images
from pyd_core.debug.helper.container import helper_body
from pyd_core.debug.helper.stand_in import run_stand_in
from pyd_core.debug.helper.tiers import Tier
from pyd_core.debug.machine import engine_machine
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.debug.user_io import UserIO
from pyd_core.model.container import Container


class HelperContext(NamedTuple):
    """The context of a session through a helper.

    Attributes:
        engine: The engine.
        subject: The container that is meant.
        target: The running container to enter for it.
        make: Returns the request that creates a helper with the rights of a tier.
        toolbox: The directory of the toolbox in the helper's image.
    """

    engine: ApiClient
    subject: Container
    target: Container
    make: Callable[[Tier], dict[str, Any]]
    toolbox: str


@contextmanager
def helper_context(
    engine: ApiClient, request: SessionRequest, target: RemoteTarget, io: UserIO, *, entered: Container | None = None
) -> Iterator[HelperContext]:
    """Prepare a session through a helper: a running container to enter, the toolbox and the helper's image.

    Args:
        engine: The engine.
        request: The session's request.
        target: The container that is meant.
        io: Shows notices and progress; asks what to do with a session's changes.
        entered: The container that a session is in already, the stand-in of one that doesn't run; None finds it.

    Raises:
        PydError: The session can't be run; nothing is left of it.
    """
    subject = target.container
    info = run_now(SystemApi(engine).info())
    machine = engine_machine(engine.where, info)
    toolbox = find_toolbox(io.progress, machine)
    run_now(helpers.remove_expired(ContainersApi(engine)))
    image = run_now(images.ensure(engine, toolbox, io.progress))
    if request.options.explain:
        io.notify(f"way in: a helper container, because {target.reason}")
    running = (
        nullcontext(entered)
        if entered is not None
        else run_stand_in(engine, subject, request.options, io, machine=machine)
    )
    with running as container:

        def make(tier: Tier) -> dict[str, Any]:
            return helper_body(container, tier, image, toolbox, info, name=helpers.new_name())

        yield HelperContext(engine, subject, container, make, toolbox)
