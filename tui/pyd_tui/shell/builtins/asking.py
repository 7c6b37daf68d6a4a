"""What builtins need that ask the engine about the target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pyd_core.debug.reference import IMAGE
from pyd_core.engine.client import Engine
from pyd_core.engine.transport.blocking import run_now
from pyd_core.errors import Unsupported
from pyd_tui.shell.context import ShellContext

T = TypeVar("T")


def ask(shell: ShellContext, work: Callable[[Engine, str], Awaitable[T]]) -> T:
    """Runs questions about the target's container to their end.

    Args:
        shell: Names the target.
        work: Gets the engine and the container's id, and may await nothing but the engine.

    Raises:
        Unsupported: The target is no container: a process by its number, or an image.
    """
    container = shell.access.container
    if not container.id or container.state.status == IMAGE:
        raise Unsupported(f"{shell.name} is no container; only the engine could tell that, of one")
    engine = shell.engine()

    async def once() -> T:
        async with engine:
            return await work(engine, container.id)

    return run_now(once())
