"""Calls of commands on an engine's builder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel
    from pyd_core.client.engine_client import EngineClient
    from pyd_tui.console.global_options import State

T = TypeVar("T")


def on_builder(state: State, work: Callable[[DuplexChannel], Awaitable[T]]) -> T:
    """Run work with a control connection to the engine's builder.

    Raises:
        Unsupported: The engine has no BuildKit.
    """

    async def run(engine: EngineClient) -> T:
        from pyd_core.client.builds import BuildsApi

        builds = BuildsApi(engine.api)
        await builds.require_buildkit()
        channel = await builds.channel()
        try:
            return await work(channel)
        finally:
            await channel.aclose()

    return state.run(run)
