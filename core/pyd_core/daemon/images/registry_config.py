"""Settings for reaching registries: mirrors, plain HTTP, extra certificates."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pyd_core.errors import ConfigError
from pyd_core.model.reference import DEFAULT_DOMAIN

HUB = "registry-1.docker.io"
OTHER_CERTIFICATES = (Path("/etc/docker/certs.d"), Path("/etc/containers/certs.d"))
"""Directories in which Docker and Podman keep registries' certificates."""


@dataclass(frozen=True, kw_only=True)
class RegistryHost:
    """Address from which a repository may be pulled."""

    domain: str
    allows_insecure: bool = False
    """Whether plain HTTP, or TLS without verification, is allowed."""
    scheme: str = ""
    """Set if the address includes it."""


@dataclass(frozen=True, kw_only=True)
class RegistrySettings:
    """Settings for registries."""

    mirrors: Sequence[str] = ()
    insecure: Sequence[str] = ()
    certificates: Path
    """Directory with one for each registry (`HOST:PORT`): `*.crt` to trust, `*.cert` and `*.key` for login."""

    def hosts_for(self, domain: str, *, pull: bool) -> list[RegistryHost]:
        """Return the hosts for a registry's repository, in order; only pulls from Docker Hub use mirrors."""
        own = RegistryHost(
            domain=HUB if domain == DEFAULT_DOMAIN else domain, allows_insecure=self._allows_insecure(domain)
        )
        if domain != DEFAULT_DOMAIN or not pull:
            return [own]
        return [*(self._parse_mirror(text) for text in self.mirrors), own]

    def _parse_mirror(self, text: str) -> RegistryHost:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
            raise ConfigError(f"registry-mirrors: not an address: {text[:80]!r}", hint="write https://HOST:PORT")
        return RegistryHost(
            domain=parts.netloc,
            allows_insecure=parts.scheme == "http" or self._allows_insecure(parts.netloc),
            scheme=parts.scheme,
        )

    def _allows_insecure(self, domain: str) -> bool:
        return is_local(domain) or any(_covers(text, domain) for text in self.insecure)

    def tls_context(self, host: RegistryHost) -> ssl.SSLContext:
        """Return the TLS context for a host.

        Raises:
            ConfigError: A certificate for it can't be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if host.allows_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_default_certs()
        directories = (path / host.domain for path in (self.certificates, *OTHER_CERTIFICATES))
        directory = next((path for path in directories if path.is_dir()), None)
        for file in sorted(directory.iterdir()) if directory else ():
            try:
                if file.suffix == ".crt":
                    context.load_verify_locations(file)
                elif file.suffix == ".cert":
                    context.load_cert_chain(file, file.with_suffix(".key"))
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(f"{file} can't be used: {error.strerror}") from error
        return context


def is_local(domain: str) -> bool:
    """Return whether a registry is on this host, so that its traffic can't be intercepted."""
    host = _host_name(domain)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(domain: str) -> str:
    host = domain.rpartition(":")[0] if ":" in domain and not domain.endswith("]") else domain
    return host.strip("[]")


def _covers(text: str, domain: str) -> bool:
    """Return whether an entry of `insecure-registries`, a host or a subnet, covers a registry."""
    if text in {domain, _host_name(domain)}:
        return True
    try:
        return ipaddress.ip_address(_host_name(domain)) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
