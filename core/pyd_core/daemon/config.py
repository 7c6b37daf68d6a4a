"""Where the engine keeps things, and what sets this instance apart from others on the same host."""

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
    """Settings of one engine process."""

    root: Path = DEFAULT_ROOT
    """What must survive a reboot: images, containers, volumes, the database."""
    run: Path = DEFAULT_RUN
    """What need not: bundles, sockets, the runtime's state; on a tmpfs as a rule."""
    socket: Path | None = None
    """Where it listens; `pyd.sock` in `run` unless told."""
    group: str = ""
    """The group that may use the socket; empty is the first of `GROUPS` that exists, and root alone when none does."""
    runtime: str = ""
    """Name or path of the OCI runtime; empty chooses one that suits the host's cgroups."""
    subnet: str = ""
    """IPv4 subnet of the default bridge; empty chooses a free one."""

    settings: Path = DEFAULT_SETTINGS
    """The file with what an administrator decides; see `daemon/settings.py`."""

    idle: float = 0.0
    """Seconds without a client and a running container after which it ends; 0 is never."""
    ready_fd: int = -1
    """A descriptor it writes a byte to once it listens."""

    def __post_init__(self) -> None:
        for name in ("root", "run", "socket", "settings"):
            value = getattr(self, name)
            if value is not None:  # mounts and the runtime's state outlive our working directory
                object.__setattr__(self, name, Path(os.path.abspath(value)))  # noqa: PTH100 - symlinks stay
        if "/" in self.runtime:
            object.__setattr__(self, "runtime", os.path.abspath(self.runtime))  # noqa: PTH100 - likewise

    @property
    def socket_path(self) -> Path:
        """The unix socket it listens on."""
        return self.socket or self.run / "pyd.sock"

    @property
    def instance(self) -> str:
        """Six hex digits in the names of this engine's bridges, tables and cgroups; empty for the default root."""
        if self.root == DEFAULT_ROOT:
            return ""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:6]

    @property
    def cgroup(self) -> str:
        """The cgroup all its containers lie below, without a leading slash."""
        return f"pyd-{self.instance}" if self.instance else "pyd"

    @property
    def table(self) -> str:
        """Its nftables table."""
        return f"pyd_{self.instance}" if self.instance else "pyd"

    @property
    def bridge(self) -> str:
        """The interface of its default bridge network; at most 15 characters, as IFNAMSIZ wants."""
        return f"pyd{self.instance}-0" if self.instance else "pyd0"

    def prefix(self, kind: Literal["v", "b"]) -> str:
        """How the names of this instance's interfaces begin: `v` for a container's link, `b` for a bridge."""
        return f"p{kind}{self.instance}" if self.instance else f"pyd{kind}"

    def link(self, kind: Literal["v", "b"], key: str) -> str:
        """Names an interface of this instance after the first digits of a hexadecimal key."""
        return f"{self.prefix(kind)}{key}"[:15]
