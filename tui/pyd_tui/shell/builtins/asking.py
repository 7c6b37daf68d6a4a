"""What builtins need that ask the engine about the target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.reference import IMAGE
from pyd_core.errors import Unsupported
from pyd_tui.shell.interactive_shell import ShellContext

T = TypeVar("T")


def ask(shell: ShellContext, work: Callable[[EngineClient, str], Awaitable[T]]) -> T:
    """Run questions about the target's container to their end.

    Args:
        shell: Names the target.
        work: Gets the engine and the container's id, and may await nothing but the engine.

    Raises:
        Unsupported: The target is no container: a process by its number, or an image.
    """
    name, engine = _asked(shell), shell.engine()

    async def once() -> T:
        async with engine:
            return await work(engine, name)

    return run_now(once())


def listen(shell: ShellContext, work: Callable[[EngineClient, str], Awaitable[T]]) -> T | None:
    """Run what goes on until the target ends, on an event loop; return None when ctrl-c ends it.

    Args:
        shell: Names the target.
        work: Gets the engine and the container's id.

    Raises:
        Unsupported: The target is no container.
    """
    import asyncio  # noqa: PLC0415 - few builtins go on

    from pyd_core.client.connect import open_engine  # noqa: PLC0415 - likewise

    name, endpoint = _asked(shell), shell.engine().endpoint

    async def on() -> T:
        async with open_engine(endpoint) as engine:
            return await work(engine, name)

    try:
        return asyncio.run(on())
    except KeyboardInterrupt:
        return None


def _asked(shell: ShellContext) -> str:
    container = shell.access.container
    if not container.id or container.state.status == IMAGE:
        raise Unsupported(f"{shell.name} is no container; only the engine could tell that, of one")
    return shell.model or container.id
