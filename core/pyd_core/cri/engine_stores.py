"""The containerd that a Docker Engine of this machine keeps its images in.

The engine's API names it since version 1.46 only, so its process does: by command line and configuration file. Several
stores may be in question; only the right one has the snapshot that is looked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.linux.peer import listener_pid

SERVICE_MANAGER_PID = 1
"""The listener of a socket that systemd opened for the engine."""
MAX_FILE_BYTES = 1 << 20

_DEFAULT_CONFIG = "/etc/docker/daemon.json"
_DEFAULT_EXEC_ROOT = "/var/run/docker"
_SYSTEM_SOCKET = "/run/containerd/containerd.sock"


class ContainerdStore(msgspec.Struct, frozen=True):
    """A containerd and the namespace in it that an engine's containers have."""

    socket: str
    namespace: str


class EngineOptions(msgspec.Struct, rename="kebab"):
    """The options of dockerd that say where its containerd is; the same names in its configuration file."""

    containerd: str = ""
    exec_root: str = ""
    containerd_namespace: str = ""
    config_file: str = ""


def stores_of(endpoint: Endpoint) -> list[ContainerdStore]:
    """Return the stores that a provider of this machine may have; none for one elsewhere."""
    if endpoint.is_node:
        from pyd_core.cri.node_address import parse_node_address  # noqa: PLC0415 - imports this module

        return [parse_node_address(endpoint.url).store]
    return [] if endpoint.socket_path is None else engine_stores(endpoint.socket_path)


def engine_stores(engine_socket: Path) -> list[ContainerdStore]:
    """Return the stores that an engine may have, the likeliest first; none where its files can't be read from here.

    Only processes and sockets of root or of this process's user are believed: they decide which directories of this
    machine are shown as a container's.
    """
    pid = listener_pid(engine_socket)
    if pid is None or os.geteuid() != 0:
        return []
    arguments: list[str] = []
    if pid != SERVICE_MANAGER_PID:
        try:
            if not _is_trusted(Path(f"/proc/{pid}").stat()):
                return []
            arguments = _read(f"/proc/{pid}/cmdline").decode(errors="replace").split("\0")
        except OSError:
            return []  # it ended
    options = parse_arguments(arguments)
    return [
        store
        for store in candidates(options, _read_config(options.config_file or _DEFAULT_CONFIG))
        if _is_usable(store.socket)
    ]


def candidates(given: EngineOptions, configured: EngineOptions) -> list[ContainerdStore]:
    """Return the stores that these options lead to, as dockerd chooses among them.

    Args:
        given: The options on the command line.
        configured: Those in the configuration file.
    """
    namespace = given.containerd_namespace or configured.containerd_namespace or "moby"
    named = given.containerd or configured.containerd
    root = given.exec_root or configured.exec_root or _DEFAULT_EXEC_ROOT
    sockets = [named] if named else [_SYSTEM_SOCKET, f"{root}/containerd/containerd.sock"]
    return [ContainerdStore(path.removeprefix("unix://"), namespace) for path in sockets]


def parse_arguments(arguments: Sequence[str]) -> EngineOptions:
    """Return the options on a command line of dockerd; the last one counts."""
    options: dict[str, str] = {}
    for position, argument in enumerate(arguments):
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            options[name] = value if equals else "".join(arguments[position + 1 : position + 2])
    known = set(EngineOptions.__struct_encode_fields__)
    return msgspec.convert({name: value for name, value in options.items() if name in known}, EngineOptions)


def _read_config(path: str) -> EngineOptions:
    try:
        return msgspec.json.decode(_read(path), type=EngineOptions)
    except (OSError, msgspec.DecodeError):
        return EngineOptions()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no regular file")
        return file.read(MAX_FILE_BYTES)


def _is_usable(socket: str) -> bool:
    try:
        facts = Path(socket).stat()
    except (OSError, ValueError):
        return False
    return socket.startswith("/") and stat.S_ISSOCK(facts.st_mode) and _is_trusted(facts)


def _is_trusted(facts: os.stat_result) -> bool:
    return facts.st_uid in {0, os.geteuid()}
