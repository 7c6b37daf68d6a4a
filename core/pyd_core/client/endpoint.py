"""Engine endpoints: addresses and certificates."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pyd_core.errors import InvalidInput, Refused

DOCKER_SOCKET = "unix:///var/run/docker.sock"
EMBEDDED_SOCKET = Path("/run/pyd/pyd.sock")
"""The socket of this machine's embedded engine."""

CLUSTER_PREFIX = "kube://"
NODE_PREFIXES = ("cri://", "containerd://")
"""Addresses of the runtimes of a node; `pyd_core.cri` knows what their parts mean."""


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates of a TCP endpoint, as the docker CLI stores them; None for a missing one."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's address: `unix:///path`, `tcp://host:port`, or `ssh://[user@]host[:port][/path]`.

    `kube://CONTEXT/NAMESPACE` names a cluster; `pyd_core.kube` knows what its parts mean. `cri:///SOCKET` and
    `containerd:///SOCKET` name the runtime of this machine.
    """

    url: str
    tls: TlsFiles | None = None
    origin: str = ""
    """How it was chosen, for messages: `--host`, `DOCKER_HOST`, `context work`, `default socket`."""
    read_only: bool = False
    """Whether its clients refuse every request that would change something."""

    def __post_init__(self) -> None:
        """Reject addresses that no transport can reach."""
        if self.url.startswith((CLUSTER_PREFIX, *NODE_PREFIXES)):
            return
        hint = "use unix:///path/to.sock, tcp://host:port or ssh://user@host"
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError as error:
            raise InvalidInput(f"not an engine address: {self.url!r}: {error}", hint=hint) from error
        if parts.scheme not in {"unix", "tcp", "http", "https", "ssh"}:
            raise InvalidInput(f"not an engine address: {self.url!r}", hint=hint)
        if parts.scheme == "unix" and not (parts.netloc + parts.path).startswith("/"):
            raise InvalidInput(f"not an absolute socket path: {self.url!r}", hint="write unix:///absolute/path.sock")
        if parts.scheme != "unix" and not parts.hostname:
            raise InvalidInput(f"no host in {self.url!r}")

    @property
    def scheme(self) -> str:
        """`unix`, `tcp`, `http`, `https`, `ssh`, `kube`, `cri` or `containerd`."""
        if self.is_cluster:
            return "kube"
        return urlsplit(self.url).scheme

    @property
    def socket_path(self) -> Path | None:
        """The socket of a unix endpoint."""
        if self.scheme != "unix":
            return None
        return Path(self.url.removeprefix("unix://"))

    @property
    def is_local(self) -> bool:
        """Whether the engine runs on this machine, so that its cgroups and processes can be read here.

        A unix socket may still lead elsewhere (a VM, a forwarded socket); callers must check the data they read.
        """
        return self.scheme == "unix" or self.is_node

    @property
    def is_node(self) -> bool:
        """Whether it is the address of a node's runtime, which is always on this machine."""
        return self.url.startswith(NODE_PREFIXES)

    @property
    def is_cluster(self) -> bool:
        """Whether it is a cluster's, so that providers of clusters serve it."""
        return self.url.startswith(CLUSTER_PREFIX)

    def require_writable(self) -> None:
        """Check that changes are allowed.

        Raises:
            Refused: The endpoint is read-only.
        """
        if self.read_only:
            raise Refused(
                "read-only: nothing is changed on this engine",
                hint="leave --read-only out to allow it",
                reference="read-only",
            )

    @property
    def is_plain_tcp(self) -> bool:
        """Whether the connection is TCP without TLS."""
        return self.scheme in {"tcp", "http"} and self.tls is None
