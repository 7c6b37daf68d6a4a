"""Docker contexts: named engine addresses in the docker CLI's store, which pyd shares.

The store (docker/cli, `cli/context/store`): `config.json` names the current context. A context `NAME` is stored in
`contexts/meta/SHA256(NAME)/meta.json`, its certificates in `contexts/tls/SHA256(NAME)/docker/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.client.endpoint import Endpoint, TlsFiles
from pyd_core.errors import ConfigError, Conflict, InvalidInput, NotFound

DEFAULT = "default"
"""The name for "no context": `DOCKER_HOST` or a default socket."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]+")


class _DockerEndpoint(msgspec.Struct):
    host: str = msgspec.field(name="Host", default="")
    skip_verify: bool = msgspec.field(name="SkipTLSVerify", default=False)


class _Metadata(msgspec.Struct):
    description: str = msgspec.field(name="Description", default="")


class _Meta(msgspec.Struct):
    name: str = msgspec.field(name="Name")
    metadata: _Metadata = msgspec.field(name="Metadata", default_factory=_Metadata)
    endpoints: dict[str, _DockerEndpoint] = msgspec.field(name="Endpoints", default_factory=dict)


class _Config(msgspec.Struct):
    current: str = msgspec.field(name="currentContext", default="")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """A named engine address."""

    name: str
    description: str
    url: str
    tls: TlsFiles | None

    def endpoint(self) -> Endpoint:
        """Return the endpoint that the context names."""
        return Endpoint(url=self.url, tls=self.tls, origin=f"context {self.name}")


class Contexts:
    """The contexts in a docker configuration directory, read on demand.

    Args:
        directory: `~/.docker`, or the value of `DOCKER_CONFIG`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> Contexts:
        """Return the contexts of the user with this environment."""
        return cls(config_directory(environ))

    def list(self) -> list[Context]:
        """Return all contexts except the default, sorted by name; a broken one only raises in `get`."""
        contexts = []
        for file in sorted(self.directory.glob("contexts/meta/*/meta.json")):
            try:
                contexts.append(self._read(file))
            except ConfigError:
                continue
        return sorted(contexts, key=lambda context: context.name)

    def get(self, name: str) -> Context:
        """Return one context.

        Raises:
            NotFound: No context has that name.
            ConfigError: Its file can't be used.
        """
        file = self.directory / "contexts/meta" / _directory_name(name) / "meta.json"
        if not file.is_file():
            known = [context.name for context in self.list()]
            raise NotFound(
                f"no such context: {name}",
                nearest=known,
                hint=f"contexts are: {', '.join([DEFAULT, *known])}",
                reference="no-such-context",
            )
        return self._read(file)

    def current(self) -> str:
        """Return the name of the current context; `default` if none is set.

        Raises:
            ConfigError: config.json can't be read.
        """
        config: _Config = read_settings(self._config_file, _Config)
        return config.current or DEFAULT

    def use(self, name: str) -> None:
        """Create a context the current one, leaving everything else in config.json as it is.

        Raises:
            NotFound: There is no such context.
            ConfigError: config.json can't be read or written.
        """
        if name != DEFAULT:
            self.get(name)
        with change_settings(self._config_file) as settings:
            settings["currentContext"] = name
            if name == DEFAULT:
                del settings["currentContext"]

    def create(self, name: str, url: str, *, description: str = "", tls: TlsFiles | None = None) -> None:
        """Create a context with a copy of its certificates.

        Raises:
            InvalidInput: The name isn't allowed.
            Conflict: The name is taken.
            ConfigError: It can't be written, or a certificate can't be read.
        """
        if not _NAME.fullmatch(name) or name == DEFAULT:
            raise InvalidInput(
                f"not a name for a context: {name[:80]!r}",
                hint="letters, digits and _ . + - after a letter or digit; `default` is taken",
            )
        meta_directory = self.directory / "contexts/meta" / _directory_name(name)
        if meta_directory.exists():
            raise Conflict(f"there is a context {name} already", hint=f"pyd context rm {name}", reference="name-taken")
        certificates = tls or TlsFiles()
        tls_directory = self.directory / "contexts/tls" / _directory_name(name) / "docker"
        body = {
            "Name": name,
            "Metadata": {"Description": description} if description else {},
            "Endpoints": {"docker": {"Host": url, "SkipTLSVerify": not certificates.verify}},
        }
        try:
            for file, source in (
                ("ca.pem", certificates.ca),
                ("cert.pem", certificates.cert),
                ("key.pem", certificates.key),
            ):
                if source is not None:
                    tls_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                    (tls_directory / file).touch(mode=0o600)
                    (tls_directory / file).write_bytes(source.read_bytes())
            meta_directory.mkdir(mode=0o755, parents=True)
            (meta_directory / "meta.json").write_bytes(msgspec.json.encode(body))
        except OSError as error:
            self._delete_files(name)
            raise ConfigError(f"can't make context {name}: {error.filename}: {error.strerror}") from error

    def remove(self, name: str, *, force: bool = False) -> None:
        """Remove a context and its certificates; the current one only with `force`, which makes `default` current.

        Raises:
            NotFound: No context has that name.
            Conflict: It is the current one.
            ConfigError: It can't be removed.
        """
        with suppress(ConfigError):  # a broken one is removed like any other
            self.get(name)
        if self.current() == name:
            if not force:
                raise Conflict(f"{name} is the current context", hint="pyd context use default, or --force")
            self.use(DEFAULT)
        try:
            self._delete_files(name)
        except OSError as error:
            raise ConfigError(f"can't remove context {name}: {error.strerror}") from error

    def _delete_files(self, name: str) -> None:
        import shutil  # noqa: PLC0415 - few commands remove contexts

        for kind in ("meta", "tls"):
            directory = self.directory / "contexts" / kind / _directory_name(name)
            if directory.exists():
                shutil.rmtree(directory)

    @property
    def _config_file(self) -> Path:
        return self.directory / "config.json"

    def _read(self, file: Path) -> Context:
        meta = _decode(file, _Meta)
        docker = meta.endpoints.get("docker")
        if docker is None or not docker.host:
            raise ConfigError(
                f"context {meta.name} names no docker engine",
                hint=f"recreate it with docker context create, or see {file}",
            )
        tls_directory = self.directory / "contexts/tls" / _directory_name(meta.name) / "docker"
        tls = tls_files(tls_directory, verify=not docker.skip_verify)
        return Context(
            name=meta.name,
            description=meta.metadata.description,
            url=docker.host,
            tls=None if tls == TlsFiles() else tls,
        )


def config_directory(environ: Mapping[str, str]) -> Path:
    """Return the docker CLI's configuration directory for this environment."""
    chosen = environ.get("DOCKER_CONFIG")
    home = environ.get("HOME")
    return Path(chosen) if chosen else (Path(home) if home else Path.home()) / ".docker"


def read_settings(file: Path, kind: Any) -> Any:
    """Read the docker CLI's `config.json` as `kind`; a missing file gives the defaults.

    Raises:
        ConfigError: The file can't be read.
    """
    return _decode(file, kind) if file.is_file() else kind()


@contextmanager
def change_settings(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the content of `config.json` and write it back; keys that pyd doesn't know are kept.

    Raises:
        ConfigError: The file can't be read or written.
    """
    settings: dict[str, Any] = read_settings(file, dict)
    yield settings
    scratch = file.with_name(".config.json.pyd")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch.touch(mode=0o600)
        scratch.write_bytes(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
        scratch.replace(file.resolve())
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ConfigError(f"can't write {file}: {error.strerror}") from error


def tls_files(directory: Path, *, verify: bool) -> TlsFiles:
    """Return those of `ca.pem`, `cert.pem` and `key.pem` that exist in a directory."""

    def existing(name: str) -> Path | None:
        file = directory / name
        return file if file.exists() else None

    return TlsFiles(ca=existing("ca.pem"), cert=existing("cert.pem"), key=existing("key.pem"), verify=verify)


def _directory_name(name: str) -> str:
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which only named contexts need

    return hashlib.sha256(name.encode()).hexdigest()


def _decode(file: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"can't use {file}: {error}", hint="repair or remove that file") from error
