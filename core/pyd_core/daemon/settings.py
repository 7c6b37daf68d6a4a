"""What an administrator decides: `/etc/pyd/engine.json`, whose keys are those of Docker's daemon.json."""

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
    """Its program."""
    runtime_args: list[str] = []
    """Options of it, before the verb."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What the file may say; without a file all is at its default.

    Keys of daemon.json that this engine hasn't are warned of and otherwise without effect, so that the same file does.
    """

    registry_mirrors: list[str] = []
    """Addresses asked before Docker Hub for its images, in order: `https://mirror.example.com`."""
    insecure_registries: list[str] = []
    """Hosts (with `:port` where it isn't the usual one) whose certificates aren't checked, or that speak plain HTTP."""
    registry_certificates: str = "/etc/pyd/certs.d"
    """A directory with one named after each registry (`HOST:PORT`), which holds `*.crt` to trust, and `*.cert` with
    `*.key` to show; Docker's and Podman's are looked at too."""
    cdi_spec_dirs: list[str] = msgspec.field(default_factory=lambda: ["/etc/cdi", "/var/run/cdi"])
    """Where devices are described; a later directory goes before an earlier one."""
    runtimes: dict[str, RuntimeSettings] = {}
    """Runtimes for `--runtime` besides crun and runc, by name."""
    userns_remap: str = ""
    """Whose ids containers get: `default`, `USER` or `USER:GROUP`; empty leaves them the host's."""
    hosts: list[str] = []
    """TCP addresses to listen on besides the socket: `tcp://0.0.0.0:2376`; the three files below are needed for it."""
    tlscacert: str = msgspec.field(name="tlscacert", default="")
    """Who signs the clients' certificates: whoever has such a certificate is root on this host."""
    tlscert: str = msgspec.field(name="tlscert", default="")
    tlskey: str = msgspec.field(name="tlskey", default="")

    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each TCP address.

        Raises:
            ConfigError: One is no TCP address.
        """
        found: list[tuple[str, int]] = []
        for text in self.hosts:
            parts = urlsplit(text)
            try:
                port = parts.port or 2376
            except ValueError:
                port = 0
            if parts.scheme != "tcp" or not parts.hostname or not port:
                raise ConfigError(f"hosts: not a TCP address: {text[:80]!r}", hint="write tcp://HOST:PORT")
            found.append((parts.hostname, port))
        return found

    def tls(self) -> ssl.SSLContext:
        """What TCP is served with: clients must have a certificate signed by `tlscacert`.

        Raises:
            ConfigError: A file is missing or unusable: without certificates nothing is served by TCP.
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
    """Reads the file; one that isn't there is an empty one.

    Raises:
        ConfigError: It can't be used.
    """
    try:
        text = path.read_bytes()
        found = msgspec.json.decode(text, type=EngineSettings)
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
    return found
