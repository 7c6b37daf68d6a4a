"""Targets of sessions: a container's inspect data, and its main process, held so that no later one is taken for it."""

from __future__ import annotations

import msgspec

from pyd_core.client.containers import ContainersApi
from pyd_core.errors import Conflict, InvalidInput, NotFound, PydError, Unsupported
from pyd_core.linux.cgroup_names import is_member
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_OTHER_KERNEL = ("runsc", "kata", "krun")
"""Runtimes whose containers have a kernel of their own: there are no namespaces here to join."""


NETWORK_PREFIX = "net:"
"""What a reference to a network starts with."""


class LocalTarget(msgspec.Struct, frozen=True):
    """A container of this machine that a session can join.

    Attributes:
        container: The engine's inspect data.
        process: Its main process (with `--init`, what the init was given to run); for what doesn't run, the one that
            holds its place.
        devices: The `devices.list` (cgroup version 1) a session gets; None is the process's own.
        model: The id of the container that this one is a clone of; empty where it is none.
    """

    container: Container
    process: ProcessEntry
    devices: str | None = None
    model: str = ""

    @property
    def name(self) -> str:
        """The container's name, safe to show."""
        return safe(self.container.name) or self.container.id[:12]


class RemoteTarget(msgspec.Struct, frozen=True):
    """A container whose processes this process can't reach; a helper container enters it.

    Attributes:
        container: The engine's inspect data.
        reason: Why a helper is needed, for `--explain`.
    """

    container: Container
    reason: str = ""

    @property
    def name(self) -> str:
        """The container's name, safe to show."""
        return safe(self.container.name) or self.container.id[:12]


class StoppedTarget(msgspec.Struct, frozen=True):
    """A container without processes or an image, whose files this process can reach; or one to be cloned.

    Attributes:
        container: The engine's inspect data; for an image, the container that one of it would be.
    """

    container: Container


class NetworkTarget(msgspec.Struct, frozen=True):
    """A network, entered by a container that is created on it.

    Attributes:
        name: The network's name or id.
    """

    name: str


async def find_container(containers: ContainersApi, name: str) -> Container:
    """Return the inspect data of the container that `name` means.

    Raises:
        NotFound: No such container.
        Ambiguous: Several ids start with `name`.
    """
    try:
        return await containers.inspect(name)
    except PydError as error:
        if not isinstance(error, (NotFound, InvalidInput)):
            raise
        # The engine's own lookup is one request; only a failure pays for the list, to offer names that look alike.
        from pyd_core.client.names import pick_container  # noqa: PLC0415 - only a failure needs it

        return await containers.inspect(pick_container(await containers.list(all=True), name).id)


def running_target(container: Container) -> LocalTarget:
    """Take hold of the main process of a running or paused container.

    Raises:
        Conflict: It isn't running.
        Unsupported: Its processes are on another machine or under another kernel.
    """
    shown = safe(container.name)
    state = container.state
    if state.pid == 0:
        raise Conflict(
            f"{shown} is not running ({safe(state.status) or 'no state'})",
            hint=f"start it with: pyd start {shown}",
            reference="not-running",
        )
    refuse_other_kernels(container)
    try:
        process = ProcessEntry(state.pid)
        cgroups = process.read("cgroup").decode(errors="replace")
    except ProcessLookupError as error:
        raise _elsewhere(shown, state.pid) from error
    # Some process has that pid. It is the container's if its cgroup is named by the container's id.
    if not is_member(cgroups, container.id):
        raise _elsewhere(shown, state.pid)
    if container.host_config.init and (child := _first_child(state.pid)):
        process = ProcessEntry(child)
    return LocalTarget(container, process)


def _first_child(init: int) -> int:
    """Return the program that an engine's init was given to run; 0 while there is none."""
    try:
        with open(f"/proc/{init}/task/{init}/children") as children:
            return int(next(iter(children.read().split()), 0))
    except OSError:
        return 0


def refuse_other_kernels(container: Container) -> None:
    """Refuse containers that run under a kernel of their own.

    Raises:
        Unsupported: They run under a kernel of their own.
    """
    runtime = safe(container.host_config.runtime)
    if any(known in runtime for known in _OTHER_KERNEL):
        raise Unsupported(
            f"{safe(container.name)} runs under {runtime}, whose processes the engine's kernel doesn't see",
            hint="try pyd exec",
        )


def _elsewhere(name: str, pid: int) -> Unsupported:
    return Unsupported(
        f"process {pid} of {name} is not on this machine, or has just ended",
        hint="run pyd debug on the engine's own machine; if it is this one, try again",
        reference="not-local",
    )
