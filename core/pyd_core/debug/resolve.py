"""Resolution of the word after `pyd debug` to a target, and the way to reach it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyd_core.client.api_client import ApiClient
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import BlockingTransport, run_now
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import find_subject
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import (
    NETWORK_PREFIX,
    LocalTarget,
    NetworkTarget,
    RemoteTarget,
    StoppedTarget,
    refuse_other_kernels,
    running_target,
)
from pyd_core.errors import Refused, Unsupported
from pyd_core.model.container import Container


@contextmanager
def open_engine(endpoint: Endpoint) -> Iterator[ApiClient]:
    """Connect to an engine for as long as the block lasts; no request is sent yet.

    Raises:
        Refused: The endpoint is read-only. Sessions and builtins can change anything in a container.
    """
    if endpoint.socket_path is None:
        from pyd_core.providers import description_transport  # noqa: PLC0415 - local engines don't need it

        transport = description_transport(endpoint, may_ask=os.isatty(2))
    else:
        transport = BlockingTransport(endpoint)
    engine = ApiClient(transport, where=endpoint.url, read_only=endpoint.read_only)
    try:
        engine.require_writable()
        yield engine
    finally:
        run_now(transport.aclose())


def resolve(engine: ApiClient, request: SessionRequest) -> LocalTarget | StoppedTarget | RemoteTarget | NetworkTarget:
    """Find the target of a request, and whether this process can enter it.

    Raises:
        NotFound: The engine has nothing of that name.
        Ambiguous: Several objects have it.
        Refused: It is a process of this machine, and this process isn't root.
        Unsupported: It runs under a kernel of its own.
    """
    options = request.options
    if options.target.startswith(NETWORK_PREFIX):
        return NetworkTarget(options.target.removeprefix(NETWORK_PREFIX))
    reason = reason_not_local(request.endpoint, options) or ("--tier asks for one" if options.tier is not None else "")
    if reason:
        return resolve_remote(engine, options, reason)
    subject = run_now(find_subject(engine, options.target))
    if isinstance(subject, LocalTarget):
        return subject
    if options.hold or subject.state.pid == 0:
        return StoppedTarget(subject)
    try:
        return running_target(subject)
    except Unsupported as error:
        if error.reference != "not-local":
            raise
        return RemoteTarget(subject, error.message)


def resolve_remote(engine: ApiClient, options: DebugOptions, reason: str) -> RemoteTarget:
    """Find the container that a helper is to enter.

    Args:
        engine: The engine that has it.
        options: Name the target.
        reason: Why a helper is needed, for `--explain`.

    Raises:
        PydError: See `resolve`.
    """
    subject = run_now(find_subject(engine, options.target))
    if not isinstance(subject, Container):
        raise Refused("entering a process requires root on its machine", reference="not-root")
    refuse_other_kernels(subject)
    return RemoteTarget(subject, reason)


def reason_not_local(endpoint: Endpoint, options: DebugOptions) -> str:
    """Return why this process can't enter containers of an engine itself; empty where it can."""
    local = endpoint.is_local
    if local and os.geteuid() == 0:
        return ""
    if options.target.startswith("pid:"):
        raise Refused(
            "entering a process of this machine requires root; no engine is asked",
            hint="run it with sudo, without --host",
            reference="not-root",
        )
    return "pyd isn't root here" if local else f"{endpoint.url} is another machine"
