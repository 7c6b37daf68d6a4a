"""Engine requests about the target, for builtins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.provider import Provider, engine_of
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.reference import IMAGE
from pyd_core.errors import Unsupported
from pyd_tui.shell.interactive_shell import ShellContext

T = TypeVar("T")


def ask(shell: ShellContext, work: Callable[[Provider, str], Awaitable[T]]) -> T:
    """Run a coroutine that asks the engine about the target's container.

    Args:
        shell: The target's context.
        work: Gets the engine and the container's id; it may await only the engine.

    Raises:
        Unsupported: The target isn't a container, but a process or an image.
    """
    name, engine = _container_id(shell), shell.engine()

    async def work_on_engine() -> T:
        async with engine:
            return await work(engine, name)

    if not engine.endpoint.is_cluster:
        return run_now(work_on_engine())
    import asyncio  # noqa: PLC0415 - only for clusters

    return asyncio.run(work_on_engine())


def ask_engine(shell: ShellContext, work: Callable[[EngineClient, str], Awaitable[T]]) -> T:
    """Run a coroutine that asks for what only engines have.

    Raises:
        Unsupported: The provider is no engine.
    """

    def work_on_engine(provider: Provider, name: str) -> Awaitable[T]:
        return work(engine_of(provider), name)

    return ask(shell, work_on_engine)


def listen(shell: ShellContext, work: Callable[[Provider, str], Awaitable[T]]) -> T | None:
    """Run a coroutine that follows the target, on an event loop; return None if ctrl-c ends it.

    Args:
        shell: The target's context.
        work: Gets the engine and the container's id.

    Raises:
        Unsupported: The target isn't a container.
    """
    import asyncio  # noqa: PLC0415 - only for builtins that follow

    from pyd_core.providers import open_provider  # noqa: PLC0415 - only for builtins that follow

    name, endpoint = _container_id(shell), shell.engine().endpoint

    async def work_on_engine() -> T:
        async with open_provider(endpoint) as engine:
            return await work(engine, name)

    try:
        return asyncio.run(work_on_engine())
    except KeyboardInterrupt:
        return None


def _container_id(shell: ShellContext) -> str:
    container = shell.access.container
    if not container.id or container.state.status == IMAGE:
        raise Unsupported(f"{shell.name} isn't a container, so the engine has no data about it")
    return shell.model or container.id
