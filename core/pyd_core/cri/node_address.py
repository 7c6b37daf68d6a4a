"""Addresses of the runtimes of a node: `cri:///SOCKET` and `containerd:///SOCKET?namespace=NAME`."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from pyd_core.cri.engine_stores import ContainerdStore
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

CRI_NAMESPACE = "k8s.io"
"""The namespace in which containerd keeps what the kubelet asked for."""
DEFAULT_NAMESPACE = "default"

_NAMESPACE = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
"""containerd, `identifiers.Validate`."""
_MAX_NAMESPACE_LENGTH = 76


class NodeAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A socket on this machine, and what is asked of it.

    Attributes:
        socket: Its path.
        namespace: The namespace of containerd.
        cri: Whether the Container Runtime Interface names the containers.
    """

    socket: str
    namespace: str
    cri: bool

    @property
    def store(self) -> ContainerdStore:
        """The containerd, as the readers of layers name it."""
        return ContainerdStore(self.socket, self.namespace)


def parse_node_address(url: str) -> NodeAddress:
    """Parse the address of a node's runtime.

    Raises:
        InvalidInput: It isn't one, or has parts that mean nothing.
    """
    hint = "write cri:///run/containerd/containerd.sock, or containerd:///run/containerd/containerd.sock?namespace=NAME"
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    cri = parts.scheme == "cri"
    known = set() if cri else {"namespace"}
    path = unquote(parts.path)
    if parts.scheme not in {"cri", "containerd"} or parts.netloc or parts.fragment or set(query) - known:
        raise InvalidInput(f"not the address of a container runtime: {safe(url)!r}", hint=hint)
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise InvalidInput(f"not an absolute socket path: {safe(url)!r}", hint=hint)
    values = query.get("namespace", [])
    namespace = CRI_NAMESPACE if cri else values[0] if values else DEFAULT_NAMESPACE
    if len(values) > 1 or len(namespace) > _MAX_NAMESPACE_LENGTH or not _NAMESPACE.fullmatch(namespace):
        raise InvalidInput(f"not a namespace of containerd: {safe(','.join(values))!r}", hint=hint)
    return NodeAddress(socket=path, namespace=namespace, cri=cri)
