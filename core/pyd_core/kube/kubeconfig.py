"""Kubeconfig files: merging, and the access that a context describes.

Rules of `client-go` (`tools/clientcmd`): `KUBECONFIG` lists files; of each cluster, user and context the first
definition counts, and so does the first `current-context`. Relative paths are relative to the file that holds them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pyd_core.errors import ConfigError, NoEngine, NotFound
from pyd_core.kube.access import AccessSettings, AuthProvider, ClusterAccess, ExecPlugin
from pyd_core.kube.address import ClusterAddress, parse_address
from pyd_core.sanitise import safe

MAX_FILE_BYTES = 8 * 2**20
"""Larger files aren't kubeconfigs."""
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Token, CA and namespace of a pod's own account."""

T = TypeVar("T")


class _Base(msgspec.Struct, kw_only=True, rename="kebab"):
    """Entries of a kubeconfig have names such as `certificate-authority-data`."""


class _ClusterEntry(_Base):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class _ExecEntry(msgspec.Struct, kw_only=True, rename="camel"):
    command: str = ""
    args: list[str] | None = None
    env: list[dict[str, str]] | None = None
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class _ProviderEntry(_Base):
    name: str = ""
    config: dict[str, str] | None = None


class _UserEntry(_Base):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    username: str = ""
    password: str = ""
    impersonate: str = msgspec.field(name="as", default="")
    impersonate_uid: str = msgspec.field(name="as-uid", default="")
    impersonate_groups: list[str] | None = msgspec.field(name="as-groups", default=None)
    exec: _ExecEntry | None = None
    auth_provider: _ProviderEntry | None = None


class _ContextEntry(_Base):
    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(_Base):
    name: str = ""
    cluster: _ClusterEntry | None = None


class _NamedUser(_Base):
    name: str = ""
    user: _UserEntry | None = None


class _NamedContext(_Base):
    name: str = ""
    context: _ContextEntry | None = None


class _File(_Base):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str = ""


class Kubeconfig:
    """The merged kubeconfig files of a user."""

    def __init__(self) -> None:
        self.current = ""
        """The current context."""
        self._clusters: dict[str, tuple[_ClusterEntry, Path]] = {}
        self._users: dict[str, tuple[_UserEntry, Path]] = {}
        self._contexts: dict[str, _ContextEntry] = {}

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> Kubeconfig:
        """Return the merged configuration of the user with this environment.

        Raises:
            ConfigError: A file can't be read, or isn't a kubeconfig.
        """
        config = cls()
        for path in _paths(environ):
            config.add(path)
        return config

    @property
    def contexts(self) -> list[str]:
        """The names of all contexts."""
        return [*self._contexts]

    def add(self, path: Path) -> None:
        """Merge a file; names that are defined already keep their definition.

        Raises:
            ConfigError: It can't be read, or isn't a kubeconfig.
        """
        file = _read(path)
        for cluster in file.clusters or []:
            self._clusters.setdefault(cluster.name, (cluster.cluster or _ClusterEntry(), path.parent))
        for user in file.users or []:
            self._users.setdefault(user.name, (user.user or _UserEntry(), path.parent))
        for context in file.contexts or []:
            self._contexts.setdefault(context.name, context.context or _ContextEntry())
        self.current = self.current or file.current_context

    def access(self, address: ClusterAddress) -> ClusterAccess:
        """Return the access that a context describes.

        Raises:
            NotFound: There is no such context.
            ConfigError: It names no cluster, or its files can't be read.
            NoEngine: No context is named, and none is current.
        """
        name = address.context or self.current
        if not name:
            raise NoEngine(
                "no cluster found: the kubeconfig has no current context",
                hint="name one: -H kube://CONTEXT" if self._contexts else "set KUBECONFIG, or write ~/.kube/config",
            )
        context = self._contexts.get(name)
        if context is None:
            known = ", ".join(map(safe, self._contexts)) or "none"
            raise NotFound(
                f"no such context in the kubeconfig: {safe(name)}",
                nearest=self.contexts,
                hint=f"contexts are: {known}",
                reference="no-such-context",
            )
        if context.cluster not in self._clusters:
            raise ConfigError(f"context {safe(name)} names an unknown cluster: {safe(context.cluster)!r}")
        cluster, cluster_directory = self._clusters[context.cluster]
        user, user_directory = self._users.get(context.user, (_UserEntry(), cluster_directory))
        if not cluster.server:
            raise ConfigError(f"cluster {safe(context.cluster)} has no server in the kubeconfig")
        settings = AccessSettings(
            server=cluster.server,
            ca=_content(cluster.certificate_authority_data, cluster.certificate_authority, cluster_directory),
            verify=not cluster.insecure_skip_tls_verify,
            server_name=cluster.tls_server_name,
            proxy=cluster.proxy_url,
            certificate=_content(user.client_certificate_data, user.client_certificate, user_directory),
            key=_content(user.client_key_data, user.client_key, user_directory),
            token=user.token,
            token_file=user_directory / user.token_file if user.token_file else None,
            username=user.username,
            password=user.password,
            impersonate=user.impersonate,
            impersonate_uid=user.impersonate_uid,
            impersonate_groups=tuple(user.impersonate_groups or ()),
            plugin=_plugin(user.exec, user_directory),
            provider=_provider(user.auth_provider),
        )
        namespace = address.namespace or context.namespace or "default"
        return ClusterAccess(context=name, namespace=namespace, settings=settings)


def choose_access(url: str, environ: Mapping[str, str] = os.environ) -> ClusterAccess:
    """Return the access that an address means: a context of the kubeconfig, or within a pod its own account.

    Raises:
        PydError: There is none, or it can't be used.
    """
    config = Kubeconfig.of_user(environ)
    address = parse_address(url, config.contexts)
    if not config.contexts and not address.context and environ.get("KUBERNETES_SERVICE_HOST"):
        return _own_account(address, environ)
    return config.access(address)


def _own_account(address: ClusterAddress, environ: Mapping[str, str]) -> ClusterAccess:
    """Return the access of the pod that this process runs in."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        namespace = (SERVICE_ACCOUNT / "namespace").read_text().strip()
        ca = (SERVICE_ACCOUNT / "ca.crt").read_bytes()
    except OSError as error:
        raise ConfigError(f"can't read this pod's own account: {error.filename}: {error.strerror}") from error
    settings = AccessSettings(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}", ca=ca, token_file=SERVICE_ACCOUNT / "token"
    )
    return ClusterAccess(context="in-cluster", namespace=address.namespace or namespace, settings=settings)


def _paths(environ: Mapping[str, str]) -> list[Path]:
    listed = [Path(name) for name in environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if not listed:
        home = environ.get("HOME")
        listed = [(Path(home) if home else Path.home()) / ".kube/config"]
    return [path.absolute() for path in dict.fromkeys(listed) if path.exists()]


def _read(path: Path) -> _File:
    import yaml  # noqa: PLC0415 - only clusters need it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is too large for a kubeconfig")
        document = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
        return _convert(document or {}, _File)
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{where} is not YAML: {safe(str(getattr(error, 'problem', '') or ''))}") from error
    except (msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(f"{path} is not a kubeconfig: {safe(str(error))}") from error


def _convert(document: Any, kind: type[T]) -> T:
    return msgspec.convert(_without_nulls(document), kind, strict=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _content(data: str, path: str, directory: Path) -> bytes | None:
    """Return the content of a certificate or key, from base64 or a file."""
    import binascii  # noqa: PLC0415 - only clusters need it

    if data:
        try:
            return binascii.a2b_base64(data)
        except binascii.Error as error:
            raise ConfigError(f"a certificate or key in the kubeconfig is not base64: {error}") from error
    if not path:
        return None
    try:
        return (directory / path).read_bytes()
    except OSError as error:
        raise ConfigError(f"can't read {directory / path}, which the kubeconfig names: {error.strerror}") from error


def _plugin(entry: _ExecEntry | None, directory: Path) -> ExecPlugin | None:
    if entry is None:
        return None
    command = entry.command
    if "/" in command and not command.startswith("/"):
        command = str(directory / command)
    return ExecPlugin(
        command=command,
        arguments=tuple(entry.args or ()),
        environment={item["name"]: item.get("value", "") for item in entry.env or [] if "name" in item},
        api_version=entry.api_version,
        install_hint=entry.install_hint,
        provide_cluster_info=entry.provide_cluster_info,
        interactive_mode=entry.interactive_mode or "IfAvailable",
    )


def _provider(entry: _ProviderEntry | None) -> AuthProvider | None:
    return None if entry is None else AuthProvider(name=entry.name, config=entry.config or {})
