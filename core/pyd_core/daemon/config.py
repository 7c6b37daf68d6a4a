"""The engine's paths and options, and the names that set it apart from other instances on the host."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyd_core.client.endpoint import EMBEDDED_SOCKET
from pyd_core.daemon.settings import DEFAULT_SETTINGS

DEFAULT_ROOT = Path("/var/lib/pyd/engine")
DEFAULT_RUN = EMBEDDED_SOCKET.parent

GROUPS = ("docker", "pyd")
"""Groups whose members may use the socket, where no group is named."""


@dataclass(frozen=True, kw_only=True)
class DaemonConfig:
    """The configuration of an engine process."""

    root: Path = DEFAULT_ROOT
    """Persistent data: images, containers, volumes, the database."""
    run: Path = DEFAULT_RUN
    """Data that need not survive a reboot: bundles, sockets, the runtime's state; usually on a tmpfs."""
    socket: Path | None = None
    """The socket's path; by default `pyd.sock` in `run`."""
    group: str = ""
    """The group that may use the socket; empty is the first of `GROUPS` that exists, or only root."""
    runtime: str = ""
    """Name or path of the OCI runtime; empty chooses one that suits the host's cgroups."""
    subnet: str = ""
    """IPv4 subnet of the default bridge; empty chooses a free one."""

    settings: Path = DEFAULT_SETTINGS
    """The administrator's settings file; see `daemon/settings.py`."""

    idle: float = 0.0
    """Seconds without a client and a running container after which it stops; 0 is never."""
    ready_fd: int = -1
    """A descriptor that gets a byte once the engine listens."""

    def __post_init__(self) -> None:
        for name in ("root", "run", "socket", "settings"):
            value = getattr(self, name)
            if value is not None:  # mounts and the runtime's state outlive our working directory
                object.__setattr__(self, name, Path(os.path.abspath(value)))  # noqa: PTH100 - symlinks stay
        if "/" in self.runtime:
            object.__setattr__(self, "runtime", os.path.abspath(self.runtime))  # noqa: PTH100 - symlinks stay

    @property
    def socket_path(self) -> Path:
        """Return the path of the engine's Unix socket."""
        return self.socket or self.run / "pyd.sock"

    @property
    def instance(self) -> str:
        """Return six hex digits for the names of bridges, tables and cgroups; empty for the default root."""
        if self.root == DEFAULT_ROOT:
            return ""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:6]

    @property
    def cgroup(self) -> str:
        """Return the cgroup above all containers, without a leading slash."""
        return f"pyd-{self.instance}" if self.instance else "pyd"

    @property
    def table(self) -> str:
        """Return the name of the nftables table."""
        return f"pyd_{self.instance}" if self.instance else "pyd"

    @property
    def bridge(self) -> str:
        """Return the interface of the default bridge network; at most 15 characters (IFNAMSIZ)."""
        return f"pyd{self.instance}-0" if self.instance else "pyd0"

    def prefix(self, kind: Literal["v", "b"]) -> str:
        """Return the prefix of this instance's interfaces: `v` for a container's link, `b` for a bridge."""
        return f"p{kind}{self.instance}" if self.instance else f"pyd{kind}"

    def link(self, kind: Literal["v", "b"], key: str) -> str:
        """Return a name for an interface of this instance, after the first digits of a hexadecimal key."""
        return f"{self.prefix(kind)}{key}"[:15]
