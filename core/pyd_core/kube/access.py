"""Access to a cluster: its server, and the user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pyd_core.kube.address import ALL_NAMESPACES


class ExecPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """A program that prints credentials (`client.authentication.k8s.io`)."""

    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"
    """`Never`, `IfAvailable` or `Always`."""


class AuthProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An authentication provider of the kubeconfig; pyd knows `oidc`."""

    name: str
    config: Mapping[str, str] = {}


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Server, certificates and credentials. Its representation shows none of the secrets."""

    server: str
    ca: bytes | None = None
    verify: bool = True
    server_name: str = ""
    """The name that the server's certificate must have; empty is the host of `server`."""
    proxy: str = ""
    certificate: bytes | None = None
    key: bytes | None = None
    token: str = ""
    token_file: Path | None = None
    username: str = ""
    password: str = ""
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    plugin: ExecPlugin | None = None
    provider: AuthProvider | None = None

    def __repr__(self) -> str:
        """Name the server only."""
        return f"AccessSettings(server={self.server!r})"


class ClusterAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster, a user and a namespace."""

    context: str
    namespace: str
    settings: AccessSettings

    @property
    def scope(self) -> str:
        """The namespace; empty for all of them."""
        return "" if self.namespace == ALL_NAMESPACES else self.namespace
