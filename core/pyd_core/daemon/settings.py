"""The administrator's settings, `/etc/pyd/engine.json`, with the keys of Docker's daemon.json."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pyd_core.errors import ConfigError

log = logging.getLogger(__name__)

DEFAULT_SETTINGS = Path("/etc/pyd/engine.json")


class RuntimeSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An OCI runtime that containers may name."""

    path: str
    """The program's path."""
    runtime_args: list[str] = []
    """Its options, before the verb."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The contents of the file; without a file all have their default.

    Unsupported keys of daemon.json are logged and have no effect, so that both engines can share a file.
    """

    registry_mirrors: list[str] = []
    """Mirrors of Docker Hub, in the order of their use: `https://mirror.example.com`."""
    insecure_registries: list[str] = []
    """Hosts (with `:port` unless it is the default) whose certificates aren't checked, or that use plain HTTP."""
    registry_certificates: str = "/etc/pyd/certs.d"
    """A directory with a subdirectory for each registry (`HOST:PORT`), which holds `*.crt` to trust, and `*.cert` with
    `*.key` to present; Docker's and Podman's directories are read too."""
    cdi_spec_dirs: list[str] = msgspec.field(default_factory=lambda: ["/etc/cdi", "/var/run/cdi"])
    """Directories of device specifications; a later one overrides an earlier one."""
    runtimes: dict[str, RuntimeSettings] = {}
    """Runtimes for `--runtime` besides crun and runc, by name."""
    userns_remap: str = ""
    """The owner of containers' ids: `default`, `USER` or `USER:GROUP`; empty keeps the host's ids."""
    hosts: list[str] = []
    """TCP addresses to listen on besides the socket: `tcp://0.0.0.0:2376`; the three files below are needed for it."""
    tlscacert: str = msgspec.field(name="tlscacert", default="")
    """The authority of the clients' certificates: a client with such a certificate is root on this host."""
    tlscert: str = msgspec.field(name="tlscert", default="")
    tlskey: str = msgspec.field(name="tlskey", default="")

    def addresses(self) -> list[tuple[str, int]]:
        """Return host and port of each TCP address.

        Raises:
            ConfigError: One is no TCP address.
        """
        pairs: list[tuple[str, int]] = []
        for text in self.hosts:
            parts = urlsplit(text)
            try:
                port = parts.port or 2376
            except ValueError:
                port = 0
            if parts.scheme != "tcp" or not parts.hostname or not port:
                raise ConfigError(f"hosts: not a TCP address: {text[:80]!r}", hint="write tcp://HOST:PORT")
            pairs.append((parts.hostname, port))
        return pairs

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context for TCP; clients must have a certificate signed by `tlscacert`.

        Raises:
            ConfigError: A file is missing or unusable; TCP always requires certificates.
        """
        if not (self.tlscacert and self.tlscert and self.tlskey):
            raise ConfigError(
                "hosts: TCP is served with certificates on both sides only",
                hint="name tlscacert, tlscert and tlskey, or leave hosts out",
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_cert_chain(self.tlscert, self.tlskey)
            context.load_verify_locations(self.tlscacert)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the certificates can't be used: {error.strerror}") from error
        return context


def read(path: Path) -> EngineSettings:
    """Read the file; a missing one counts as empty.

    Raises:
        ConfigError: It can't be used.
    """
    try:
        text = path.read_bytes()
        settings = msgspec.json.decode(text, type=EngineSettings)
        unknown = msgspec.json.decode(text).keys() - {
            field.encode_name for field in msgspec.structs.fields(EngineSettings)
        }
    except FileNotFoundError:
        return EngineSettings()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}", hint="its keys are those of Docker's daemon.json") from error
    for key in sorted(unknown):
        log.warning("%s: this engine has no %r: the key has no effect", path, key[:80])
    return settings
