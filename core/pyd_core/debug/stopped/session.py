"""A session in a container that doesn't run, or in an image."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.cgroup import DEFAULT_DEVICES
from pyd_core.debug.clone import Clone
from pyd_core.debug.failures import failure
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import IMAGE
from pyd_core.debug.sessions.local_session import run_in_target
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.stopped.plan import copies_root, find_layers, plan_stage
from pyd_core.debug.stopped.save import check_name
from pyd_core.debug.stopped.stage import Holder
from pyd_core.debug.syscalls import CallFailed
from pyd_core.debug.target import LocalTarget, running_target
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

MEMORY_SHARE = 4
"""What a session changes may take this part of the host's memory."""


def run(engine: ApiClient, request: SessionRequest, container: Container, supervisor: Supervisor, io: UserIO) -> int:
    """Run a session in a container that doesn't run, an image, or a clone of a container; return the exit code.

    Args:
        engine: The container's engine, on a local socket.
        request: The session's request.
        container: The engine's inspect data.
        supervisor: Waits for its plan.
        io: Shows notices and the progress of copies; asks what to do with changes.

    Raises:
        PydError: The session failed, or its changes couldn't be kept.
    """
    options = request.options
    if options.hold:
        return _run_held(engine, request, container, supervisor, io)
    check(container, options)
    toolbox = find_toolbox(io.progress)
    with open_stopped(engine, container, request, toolbox, io) as (target, holder):
        if io.ask is not None:
            io.notify(banner(target, options))
        code, _ = run_in_target(target, request, toolbox, supervisor, io)
        if options.keeps_changes or io.ask is not None:
            report_start(engine, container, io.notify)
            from pyd_core.debug.stopped.outcome import ApplyOutcome  # noqa: PLC0415 - most sessions keep nothing
            from pyd_core.debug.stopped.staged import StagedChanges  # noqa: PLC0415 - the same

            changes = StagedChanges(engine, target.container, holder)
            ApplyOutcome(engine, container, changes, notify=io.notify, show=print_line).settle(options, io.ask)
        return code


@contextmanager
def open_stopped(
    engine: ApiClient, container: Container, request: SessionRequest, toolbox: str, io: UserIO
) -> Iterator[tuple[LocalTarget, Holder]]:
    """Set a container that doesn't run, or an image, up on a stage for as long as the block lasts.

    Raises:
        PydError: It can't be set up; nothing is left of it.
    """
    options = request.options
    with (
        _snapshot(engine, container, request) as located,
        _layers(engine, located, io) as layers,
        _network(engine, container, options) as network,
        build_stage(located, layers, options, toolbox, io.notify, network=network) as (target, holder),
    ):
        if options.explain:
            io.notify(
                f"stage: {len(layers)} layers, used where they are and never written; what changes is in memory alone"
            )
        yield target, holder


def report_start(engine: ApiClient, container: Container, notify: Callable[[str], None]) -> None:
    """Report that the container was started or removed while the session was in its files."""
    if container.state.status == IMAGE:
        return
    try:
        now = run_now(ContainersApi(engine).inspect(container.id))
    except NotFound:
        notify(f"{safe(container.name)} was removed meanwhile")
        return
    if now.state.started_at != container.state.started_at:
        notify(f"{safe(container.name)} was started meanwhile; the session may have seen older files than it has now")


def _run_held(
    engine: ApiClient, request: SessionRequest, container: Container, supervisor: Supervisor, io: UserIO
) -> int:
    options = request.options
    if options.keeps_changes or container.state.status == IMAGE:
        raise InvalidInput("--hold makes a clone of a container", hint="leave out --diff, --apply and --save")
    toolbox = find_toolbox(io.progress)
    shown = safe(container.name)
    with Clone(engine, container, writable_volumes=options.volumes == "rw") as clone:
        program = safe(shlex.join([container.path, *container.args]))
        volumes = "read-only" if options.volumes == "ro" else "the real ones"
        io.notify(
            f"in a clone of {shown}, removed at the end; its volumes are {volumes}. To run its program: {program}"
        )
        # The session sees its model's name and program.
        held = msgspec.structs.replace(
            clone, name_=container.name_, path=container.path, args=container.args, config=container.config
        )
        target = msgspec.structs.replace(running_target(held), model=container.id)
        code, ended = run_in_target(target, request, toolbox, supervisor, io)
        if ended:
            io.notify(f"the clone of {shown} has ended; the session ended with it")
        return code


@contextmanager
def _network(engine: ApiClient, container: Container, options: DebugOptions) -> Iterator[tuple[str, Container | None]]:
    """Give the path of the network namespace to use, and the clone that it is of, if any."""
    mode = container.host_config.network_mode
    if options.network == "none" or mode == "none":
        yield "", None
    elif container.state.status == IMAGE:
        raise InvalidInput("an image has no network", hint="leave out --network same")
    elif mode == "host":
        yield "/proc/self/ns/net", None
    else:
        with Clone(engine, container, writable_volumes=False) as clone:
            yield f"/proc/{clone.state.pid}/ns/net", clone


def check(container: Container, options: DebugOptions) -> None:
    """Refuse what would fail only at the end, with the session's work done."""
    if options.save:
        check_name(options.save)
    if options.apply and container.state.status == IMAGE:
        raise InvalidInput(
            f"{safe(container.name)} is an image; nothing can be put back into it", hint="make a new one: --save IMAGE"
        )


@contextmanager
def _snapshot(engine: ApiClient, container: Container, request: SessionRequest) -> Iterator[Container]:
    """Yield the container with the directories of its layers, where the engine keeps them in containerd."""
    endpoint = request.endpoint
    if container.graph_driver.data or not container.graph_driver.name or not endpoint.is_local:
        yield container
        return
    from pyd_core.debug.stopped.snapshot import hold_snapshot  # noqa: PLC0415 - gRPC, for one kind of store only

    with hold_snapshot(engine, container, endpoint) as located:
        yield located


@contextmanager
def _layers(engine: ApiClient, container: Container, io: UserIO) -> Iterator[tuple[str, ...]]:
    """Yield the layers of the target's files: the engine's own where they can be read here, else a copy."""
    if os.path.isdir(copies_root()):
        from pyd_core.debug.stopped.export import remove_stale_copies  # noqa: PLC0415 - hardly ever needed

        remove_stale_copies()
    try:
        layers = find_layers(container.graph_driver, safe(container.name))
    except Unsupported as error:
        from pyd_core.debug.stopped.export import export_files  # noqa: PLC0415 - the last resort

        io.notify(f"{error.message}: all its files are copied first, and the copy is removed at the end")
        is_image = container.state.status == IMAGE
        with export_files(engine, container, image=is_image, progress=io.progress) as directory:
            yield (directory,)
    else:
        yield layers


@contextmanager
def build_stage(
    container: Container,
    layers: tuple[str, ...],
    options: DebugOptions,
    toolbox: str,
    notify: Callable[[str], None],
    *,
    network: tuple[str, Container | None] = ("", None),
) -> Iterator[tuple[LocalTarget, Holder]]:
    """Build the stage for a container for as long as the block lasts.

    Args:
        container: The engine's inspect data.
        layers: Directories with its files, the topmost first.
        options: The session's options.
        toolbox: The toolbox's directory.
        notify: Shows what the container had and the stage lacks.
        network: A network namespace's path, and the container whose it is: its name server and hosts are taken too.

    Raises:
        PydError: It can't be built; nothing is left of it.
    """
    shown = safe(container.name)
    path, clone = network
    named = container
    if clone is not None:
        named = msgspec.structs.replace(container, hosts_path=clone.hosts_path, resolv_conf_path=clone.resolv_conf_path)
    stage = plan_stage(
        named,
        layers,
        toolbox=toolbox,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEMORY_SHARE,
        writable_volumes=options.volumes == "rw",
        network=path,
    )
    try:
        holder = Holder(stage)
    except CallFailed as error:
        raise failure(error.call, error.number, error.subject, target=shown) from error
    try:
        if holder.built.unknown_user and options.identity == "target":
            raise InvalidInput(
                f"{shown} has no user {safe(holder.built.unknown_user)!r}; it couldn't start either",
                hint="use --as root or --as UID[:GID]",
                reference="unknown-user",
            )
        for note in holder.built.notes:
            notify(note)
        yield LocalTarget(container, ProcessEntry(holder.pid), devices=DEFAULT_DEVICES), holder
    finally:
        holder.close()


def banner(target: LocalTarget, options: DebugOptions) -> str:
    """Return the notice at the start of such a session."""
    state = safe(target.container.state.status)
    if state == IMAGE:
        return f"{target.name}, an image, as a container of it would start: what you change is thrown away"
    volumes = "its volumes are read-only" if options.volumes == "ro" else "its volumes are the real ones, and writable"
    network = "there is no network" if options.network == "none" else "its networks are there"
    return f"{target.name} ({state}) as it would start: what you change is thrown away, {volumes}, {network}"


def print_line(line: str) -> None:
    """Write a line of a session's outcome to stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
