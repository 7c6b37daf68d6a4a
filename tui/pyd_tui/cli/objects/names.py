"""Names of an engine's objects on a command line, and their completion."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pyd_tui.console.global_options import State

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.container import ContainerSummary

T = TypeVar("T")

COMPLETION_TIMEOUT_S = 1.0
"""The time a completion may take, because the shell waits for it."""


class ContainerName(click.ParamType[str]):
    """A container's name, id or a prefix of its id.

    Args:
        states: The states of containers to offer in completion; without any, all.
    """

    name = "container"

    def __init__(self, *states: str) -> None:
        self.states = frozenset(states)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete names that the engine lists; offer none if it doesn't answer in time."""
        from click.shell_completion import CompletionItem

        taken = {word for value in ctx.params.values() for word in (value if isinstance(value, tuple) else (value,))}
        containers = [
            summary
            for summary in _list_containers(ctx.ensure_object(State))
            if not self.states or summary.state in self.states
        ]
        names = [
            CompletionItem(summary.name, help=f"{summary.state}, {summary.image}")
            for summary in containers
            if summary.name.startswith(incomplete) and summary.name not in taken and _is_plain(summary.name)
        ]
        if names or len(incomplete) < 2:
            return names
        return [CompletionItem(s.id[:12], help=s.name) for s in containers if s.id.startswith(incomplete)]


class ObjectName(click.ParamType[str]):
    """The name of another object on the engine, completed from its list."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Complete names that the engine lists; offer none if it doesn't answer in time."""
        from click.shell_completion import CompletionItem

        names = _within_timeout(lambda: ctx.ensure_object(State).ask(self.list_names))
        return [CompletionItem(name) for name in names if name.startswith(incomplete) and _is_plain(name)]

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        raise NotImplementedError


class ImageName(ObjectName):
    """An image's name or id."""

    name = "image"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all tags."""
        return sorted(tag for image in await engine.images.list() for tag in image.repo_tags if "<none>" not in tag)


class NetworkName(ObjectName):
    """A network's name or id."""

    name = "network"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted(network.name for network in await engine.networks.list())


class VolumeName(ObjectName):
    """A volume's name."""

    name = "volume"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted(volume.name for volume in await engine.volumes.list())


def _is_plain(name: str) -> bool:
    """Return whether a name is safe to insert into a command line: no line breaks, no substitutions."""
    return name.isascii() and all(letter.isalnum() or letter in "_.-:/@" for letter in name)


def _list_containers(state: State) -> Iterable[ContainerSummary]:
    return _within_timeout(lambda: state.ask_provider(lambda engine: engine.containers.list(all=True)))


def _within_timeout(work: Callable[[], Iterable[T]]) -> Iterable[T]:
    def expire(_: int, __: FrameType | None) -> None:
        raise TimeoutError

    before: Any = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, COMPLETION_TIMEOUT_S)
    try:
        return work()
    except Exception:  # noqa: BLE001 - an error must not disturb the line that the user is typing
        return ()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
