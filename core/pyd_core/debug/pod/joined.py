"""A debug session in a pod whose root is the target's: an agent in the debug container joins its mount namespace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.helper.access import HelperAccess
from pyd_core.debug.helper.channels import Channels
from pyd_core.debug.helper.link import AgentLink, TargetFacts
from pyd_core.debug.helper.plan import joining_plan, look_at, shares_pids
from pyd_core.debug.helper.tiers import TIERS
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import converse
from pyd_core.debug.pod.agent_stream import AgentStream
from pyd_core.debug.pod.ephemeral import running_one
from pyd_core.debug.pod.ladder import JOIN
from pyd_core.debug.pod.target import runtime_id
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.target import RemoteTarget
from pyd_core.debug.toolbox import PREFIX
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import Conflict, StreamInterrupted, Unsupported
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.container_view import PodMember, container_of
from pyd_core.kube.loop_thread import LoopThread
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

TIER = TIERS[3]
"""The rights of the rung `join`, as on an engine: what they give is the same."""
IMAGE_LABEL = "pyd.debug-image"
"""Of the shell's target: the image of the debug container that its session is in."""


class PodEntry(NamedTuple):
    """The way to a target in a pod.

    Attributes:
        member: The debug container, which runs.
        target: The container to enter.
        image: The debug container's image.
    """

    member: PodMember
    target: PodMember
    image: str


class JoinedPod(NamedTuple):
    """A target that an agent can enter.

    Attributes:
        link: The connection to the agent.
        target: The target, as plans take it.
        facts: The agent's facts about it.
    """

    link: AgentLink
    target: Container
    facts: TargetFacts


def target_of(member: PodMember, image: str) -> Container:
    """Return a container of a pod as sessions take it.

    Its pid mode says how the agent finds it: `private` is process 1 of the debug container, which shares its processes;
    where all containers of the pod do, the runtime's id finds it.
    """
    container = container_of(member)
    spec = member.pod.spec
    pid_mode = "host" if spec.host_pid else "pod" if spec.share_process_namespace else "private"
    host = msgspec.structs.replace(container.host_config, pid_mode=pid_mode)
    labels = {**container.config.labels, IMAGE_LABEL: image}
    config = msgspec.structs.replace(container.config, labels=labels)
    return msgspec.structs.replace(container, host_config=host, config=config)


@contextmanager
def open_joined(endpoint: Endpoint, entry: PodEntry) -> Iterator[JoinedPod]:
    """Start an agent in a debug container and have it find the target, for as long as the block lasts.

    Args:
        endpoint: The cluster.
        entry: The way to the target.

    Raises:
        PydError: The image has no toolbox, or the target can't be entered.
    """
    member, target, image = entry
    container = target_of(target, image)
    name = safe(container.name)
    with ExitStack() as stack:
        loop = LoopThread()
        stack.callback(loop.close)
        stream = AgentStream()
        stack.callback(lambda: loop.run(stream.aclose()))
        engine = loop.run(_connect(endpoint))
        stack.callback(lambda: loop.run(engine.aclose()))
        loop.run(stream.open(engine.cluster, member))
        link = AgentLink(stream.socket, b"", name)
        stack.callback(link.close)
        link.boot()
        try:
            private = container.host_config.pid_mode == "private"
            facts = look_at(link, container, runtime_id(target), pid=1 if private else 0)
        except StreamInterrupted as error:
            raise Unsupported(
                f"{safe(image)} can't join {name}: {error.hint or 'its agent ended at once'}",
                hint="make an image with: pyd toolbox push REGISTRY/NAME",
                reference="no-toolbox-image",
            ) from error
        state = msgspec.structs.replace(container.state, pid=facts.pid)
        yield JoinedPod(link, msgspec.structs.replace(container, state=state), facts)


async def _connect(endpoint: Endpoint) -> ClusterClient:
    return ClusterClient(endpoint)


def run_joined(request: SessionRequest, entry: PodEntry, supervisor: Supervisor, io: UserIO) -> int:
    """Run a session on this process's descriptors 0 to 2; return the command's exit code.

    Args:
        request: The cluster, and the session's options.
        entry: The way to the target.
        supervisor: Waits for its plan.
        io: Shows notices.

    Raises:
        PydError: The session failed.
    """
    terminal = request.interact is not None or (os.isatty(0) and os.isatty(1))
    with open_joined(request.endpoint, entry) as pod:
        plan = joining_plan(pod.target, request.options, TIER, pod.facts, io.notify, terminal=terminal)
        pod.link.try_out(plan)
        if terminal:
            io.notify(f"in {safe(pod.target.name)}: you see the container's files; tools are in {PREFIX}")
        if request.interact is not None:
            converse(plan)
        session = DebugSession(RemoteTarget(pod.target), supervisor, _finished(plan, pod, io))
        supervisor.connection = pod.link.fileno()
        session.on_line = io.notify
        code = session.run() if request.interact is None else request.interact(session)
        if session.target_ended and request.interact is None:
            io.notify(f"{safe(pod.target.name)} has ended; the session ended with it")
        return code


def _finished(plan: dict[str, Any], pod: JoinedPod, io: UserIO) -> dict[str, Any]:
    """Return a plan with what the bridge and the shell need besides."""
    shared = shares_pids(pod.target, TIER)
    return plan | {"target": safe(pod.target.name), "shared": shared, "tools": find_toolbox(io.progress)}


@contextmanager
def additional_pod_session(
    request: SessionRequest, entered: Container, supervisor: Supervisor, io: UserIO
) -> Iterator[DebugSession]:
    """Prepare another shell next to a session in a pod, which isn't started yet.

    Args:
        request: The cluster, and the new session's identity.
        entered: The container that the first session is in.
        supervisor: Waits for its plan.
        io: Shows notices.
    """
    with _entered_again(request.endpoint, entered) as pod:
        plan = joining_plan(pod.target, request.options, TIER, pod.facts, io.notify, terminal=True)
        pod.link.try_out(plan)
        converse(plan)
        supervisor.connection = pod.link.fileno()
        yield DebugSession(RemoteTarget(pod.target), supervisor, _finished(plan, pod, io))


@contextmanager
def open_pod_access(request: SessionRequest, entered: Container) -> Iterator[HelperAccess]:
    """Open access to the container that a session in a pod is in, for the shell's builtins."""
    with _entered_again(request.endpoint, entered) as pod, _access(pod, request.options) as access:
        yield access


@contextmanager
def _access(pod: JoinedPod, options: DebugOptions) -> Iterator[HelperAccess]:
    channels = Channels(pod.link, safe(pod.target.name))
    try:
        yield HelperAccess(pod.target, pod.target, channels, options=options, tier=TIER, facts=pod.facts)
    finally:
        channels.close()


@contextmanager
def open_joined_access(endpoint: Endpoint, entry: PodEntry, options: DebugOptions) -> Iterator[HelperAccess]:
    """Open access to a target through a debug container, without a session."""
    with open_joined(endpoint, entry) as pod, _access(pod, options) as access:
        yield access


@contextmanager
def _entered_again(endpoint: Endpoint, entered: Container) -> Iterator[JoinedPod]:
    """Reach a session's target through the debug container that the session runs in."""
    loop = LoopThread()
    try:
        entry = loop.run(_find_again(endpoint, entered))
    finally:
        loop.close()
    with open_joined(endpoint, entry) as pod:
        yield pod


async def _find_again(endpoint: Endpoint, entered: Container) -> PodEntry:
    image = entered.config.labels[IMAGE_LABEL]
    async with ClusterClient(endpoint) as engine:
        await engine.feed.store.refresh()
        target = await engine.feed.store.member(entered.id)
    member = running_one(target, JOIN, image)
    if member is None:
        raise Conflict(
            f"the debug container of {safe(entered.name)} has ended",
            hint="open the session again",
            reference="debug-container-ended",
        )
    return PodEntry(member, target, image)
