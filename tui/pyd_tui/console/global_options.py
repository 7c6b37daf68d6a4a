"""Global options, and access to the engine that they name."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import msgspec

from pyd_core.errors import InvalidInput, NoEngine

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.provider import Provider

T = TypeVar("T")
P = ParamSpec("P")


class State(msgspec.Struct):
    """The global options, given before or after the command's name."""

    hosts: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    json: bool = False
    read_only: bool = False

    def for_subjects(self, names: tuple[str, ...]) -> State:
        """Return these options, with the kubeconfig's current context if a name such as `deploy/web` needs a cluster.

        Options that name an engine, or another cluster, stay as they are.
        """
        if self.hosts or self.contexts or not any("/" in name for name in names):
            return self
        from pyd_core.kube.subject import is_cluster_subject

        return msgspec.structs.replace(self, hosts=("kube://",)) if any(map(is_cluster_subject, names)) else self

    def endpoint(self) -> Endpoint:
        """Return the engine's address; if there is none, start the embedded engine.

        Raises:
            PydError: No engine was found or could be started, or the options name several.
        """
        if len(self.hosts) > 1 or len(self.contexts) > 1:
            raise InvalidInput("several engines given", hint="only the dashboard takes several; name one of them")
        return self.endpoint_at(self.hosts[0] if self.hosts else None, self.contexts[0] if self.contexts else None)

    def endpoint_at(self, host: str | None = None, context: str | None = None) -> Endpoint:
        """Return the address of one engine that the options name."""
        from pyd_core.client.engine_choice import choose_endpoint

        try:
            endpoint = choose_endpoint(host=host, context=context)
        except NoEngine as missing:
            from pyd_core.daemon.launch import instead_of

            endpoint = instead_of(missing)
        return msgspec.structs.replace(endpoint, read_only=True) if self.read_only else endpoint

    def ask(self, work: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Run one-shot requests to an engine; see `ask_provider`.

        Raises:
            Unsupported: The options name a provider that is no engine.
        """
        return self.ask_provider(_with_engine(work))

    def run(self, work: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Run work on an engine that streams or is concurrent; see `run_provider`.

        Raises:
            Unsupported: The options name a provider that is no engine.
        """
        return self.run_provider(_with_engine(work))

    def ask_provider(self, work: Callable[[Provider], Awaitable[T]]) -> T:
        """Run one-shot requests to the provider over the fastest transport.

        `work` may await nothing but the provider: on an engine's unix socket, there is no event loop.
        """
        endpoint = self.endpoint()
        if endpoint.socket_path is None:
            return self.run_provider(work, endpoint)
        from pyd_core.client.transport.blocking import blocking_engine, run_now

        engine = blocking_engine(endpoint)

        async def work_once() -> T:
            async with engine:
                return await work(engine)

        return run_now(work_once())

    def run_provider(self, work: Callable[[Provider], Awaitable[T]], endpoint: Endpoint | None = None) -> T:
        """Run work that streams or is concurrent, in an event loop."""
        import asyncio

        from pyd_core.providers import open_provider

        async def work_once(chosen: Endpoint) -> T:
            async with open_provider(chosen, may_ask=sys.stderr.isatty()) as engine:
                return await work(engine)

        return asyncio.run(work_once(endpoint or self.endpoint()))


def _with_engine(work: Callable[[EngineClient], Awaitable[T]]) -> Callable[[Provider], Awaitable[T]]:
    async def work_on(provider: Provider) -> T:
        from pyd_core.client.provider import engine_of

        return await work(engine_of(provider))

    return work_on


def pass_state(verb: Callable[Concatenate[State, P], T]) -> Callable[P, T]:
    """Pass the global options to a command as its first argument."""
    import click

    return click.make_pass_decorator(State, ensure=True)(verb)
