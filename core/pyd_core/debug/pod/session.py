"""A debug session in a cluster, from the target's name to a command in the debug container."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from pyd_core.debug.pod.copies import copy_name, copy_of, node_pod, temporary_pod
from pyd_core.debug.pod.ephemeral import add_ephemeral, describe
from pyd_core.debug.pod.keeper import session_command
from pyd_core.debug.pod.ladder import JOIN, Rung, rungs
from pyd_core.debug.pod.options import PodDebugOptions
from pyd_core.debug.pod.target import find_target, require_running, runtime_id, user_of
from pyd_core.errors import InvalidInput
from pyd_core.kube.cluster_api import object_path
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.container_view import PodMember
from pyd_core.kube.subject import parse_subject


class PodSession(msgspec.Struct, frozen=True):
    """A debug container that runs, and the command to run in it."""

    member: PodMember
    command: tuple[str, ...]
    notice: str
    """How the session got in, for people."""
    joins: PodMember | None = None
    """The target, if the debug container may join its mount namespace: an agent then runs the command, not a shell."""


@asynccontextmanager
async def open_session(
    engine: ClusterClient, options: PodDebugOptions, notify: Callable[[str], None]
) -> AsyncIterator[PodSession]:
    """Prepare a session; copies and node pods are removed at the end of the block.

    Args:
        engine: The cluster.
        options: What to debug.
        notify: Called with lines for the user.

    Raises:
        PydError: There is no way in.
    """
    engine.cluster.require_writable()
    subject = parse_subject(options.target)
    if subject.kind == "node":
        async with _on_node(engine, options, subject.name) as session:
            yield session
        return
    target = await find_target(engine, subject)
    if options.copy:
        async with _in_copy(engine, options, target) as session:
            yield session
        return
    yield await _in_pod(engine, options, target, notify)


async def _in_pod(
    engine: ClusterClient, options: PodDebugOptions, target: PodMember, notify: Callable[[str], None]
) -> PodSession:
    require_running(target)
    image = _image(options)
    user = await user_of(engine.cluster, target)
    ladder = rungs(user, options.profile, joins=options.joins)
    if options.explain:
        who = "unknown" if user.uid is None else str(user.uid)
        notify(f"target: {target.name}, user {who}" + (", privileged" if user.privileged else ""))
        for rung in ladder:
            notify(f"rung {rung.name}: {rung.gives}; {describe(rung)}")
    refused = notify if options.explain else lambda _: None
    member, rung = await add_ephemeral(engine.cluster, target, ladder, image, ttl_s=options.ttl_s, notify=refused)
    command = session_command(
        options, container_id=_runtime_id(target), command_line=[*target.spec.command, *target.spec.args]
    )
    joins = target if rung.name == JOIN.name else None
    return PodSession(member, tuple(command), _notice(target, member, rung), joins)


def _notice(target: PodMember, member: PodMember, rung: Rung) -> str:
    files = (
        "its files are at /"
        if rung.name == JOIN.name
        else "its files are at $PYD_TARGET"
        if rung.files
        else "its files can't be reached with these rights"
    )
    return f"in {target.name}, by ephemeral container {member.spec.name} ({rung.name}: {rung.gives}); {files}"


@asynccontextmanager
async def _in_copy(engine: ClusterClient, options: PodDebugOptions, target: PodMember) -> AsyncIterator[PodSession]:
    metadata = target.pod.metadata
    path = object_path("pods", namespace=metadata.namespace, name=metadata.name)
    document = msgspec.json.decode((await engine.cluster.send("GET", path)).body)
    name = copy_name(metadata.name)
    copy = copy_of(document, target.spec.name, ttl_s=options.ttl_s, name=name)
    async with temporary_pod(engine.cluster, copy, target.spec.name) as member:
        own = " ".join([*target.spec.command, *target.spec.args]) or "the image's own"
        command = session_command(options, container_id="", command_line=())
        notice = f"in {name}, a copy that is deleted at the end; the held command is: {own}"
        yield PodSession(member, tuple(command), notice)


@asynccontextmanager
async def _on_node(engine: ClusterClient, options: PodDebugOptions, node: str) -> AsyncIterator[PodSession]:
    if options.copy:
        raise InvalidInput("a node can't be copied", hint="leave --copy out")
    pod = node_pod(
        node,
        _image(options),
        namespace=engine.cluster.access.scope or "default",
        ttl_s=options.ttl_s,
        name=copy_name(f"node-{node}"),
        privileged=options.profile == "sysadmin",
    )
    async with temporary_pod(engine.cluster, pod, "debug") as member:
        command = session_command(options, container_id="", command_line=())
        notice = f"on node {node}, by pod {member.pod.metadata.name}, deleted at the end; the node's files are at /host"
        yield PodSession(member, tuple(command), notice)


def _image(options: PodDebugOptions) -> str:
    if not options.image:
        raise InvalidInput(
            "no image for the debug container",
            hint="name one with --image or PYD_DEBUG_IMAGE that the nodes can pull; it needs sh",
            reference="no-debug-image",
        )
    return options.image


def _runtime_id(member: PodMember) -> str:
    """Return the target's id in its runtime where all containers share their processes; empty where it is pid 1."""
    return runtime_id(member) if member.pod.spec.share_process_namespace else ""
