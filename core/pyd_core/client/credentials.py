"""Credentials for registries, in the docker CLI's own store, which pyd shares.

`config.json` (docker/cli, `cli/config/configfile`) holds them as base64 under `auths`, or names the program that keeps
them: `credsStore` for all registries, `credHelpers` for one. Such a program, `docker-credential-NAME`, takes `get`,
`store`, `erase` and `list` as its argument and JSON on its standard input (docker/docker-credential-helpers).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pyd_core.client.contexts import change_settings, config_directory, read_settings
from pyd_core.errors import ConfigError, NotFound

PUBLIC = "https://index.docker.io/v1/"
"""What the public registry is called in the store, for the docker CLI's history."""
TOKEN = "<token>"  # noqa: S105 - a marker
"""The user's name where a program keeps an identity token in place of a password."""


class RegistryCredentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asks a registry, as `X-Registry-Auth` carries it (Engine API, `AuthConfig`)."""

    username: str = ""
    password: str = ""
    serveraddress: str = ""
    identitytoken: str = ""
    """In place of a password."""
    registrytoken: str = ""


class _Stored(msgspec.Struct, omit_defaults=True):
    auth: str = ""
    identitytoken: str = ""
    registrytoken: str = ""
    username: str = ""
    password: str = ""


class _Settings(msgspec.Struct):
    auths: dict[str, _Stored] = {}
    store: str = msgspec.field(name="credsStore", default="")
    helpers: dict[str, str] = msgspec.field(name="credHelpers", default_factory=dict)


class _Answer(msgspec.Struct):
    username: str = msgspec.field(name="Username", default="")
    secret: str = msgspec.field(name="Secret", default="")


def as_header(
    value: RegistryCredentials | Mapping[str, RegistryCredentials] | None, *, name: str = "X-Registry-Auth"
) -> dict[str, str]:
    """Return the header that carries credentials: base64url of JSON; none without any."""
    if value is None:
        return {}
    return {name: base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()}


def registry_key(domain: str) -> str:
    """Return what a registry is called in the store."""
    return PUBLIC if domain in {"", "docker.io", "index.docker.io"} else domain


class Logins:
    """The credentials of a docker configuration directory; nothing is read before it is asked for.

    Args:
        directory: `~/.docker`, or what `DOCKER_CONFIG` names.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "config.json"

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> Logins:
        """Return those of the user whose environment this is."""
        return cls(config_directory(environ))

    def for_image(self, name: str) -> RegistryCredentials | None:
        """Return what to show the registry of an image; None when nobody is logged in there.

        Raises:
            InvalidInput: It is no name of an image.
            ConfigError: config.json or its helper can't be used.
        """
        from pyd_core.model.reference import parse  # noqa: PLC0415 - its patterns are for those who pull

        return self.get(parse(name).domain)

    def get(self, domain: str) -> RegistryCredentials | None:
        """Return what to show a registry; None when nobody is logged in there."""
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.helpers.get(domain) or settings.store
        if helper:
            return _from_helper(helper, key)
        for known, stored in settings.auths.items():
            if known == key or _host(known) == _host(key):
                return _unpacked(stored, key)
        return None

    def all(self) -> dict[str, RegistryCredentials]:
        """Return those of all registries, as a build may need any of them."""
        settings = self._settings()
        names = {*settings.auths, *settings.helpers}
        found = {name: self.get(_host(name) if name != PUBLIC else "") for name in names}
        return {name: credentials for name, credentials in found.items() if credentials is not None}

    def keep(self, domain: str, credentials: RegistryCredentials) -> str:
        """Write them down.

        Returns:
            The program that keeps them; empty when they lie in config.json, where base64 hides nothing.
        """
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.store
        if helper:
            user = TOKEN if credentials.identitytoken else credentials.username
            secret = credentials.identitytoken or credentials.password
            _ask(helper, "store", msgspec.json.encode({"ServerURL": key, "Username": user, "Secret": secret}))
            return helper
        packed = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        if credentials.identitytoken:
            packed = base64.b64encode(f"{credentials.username}:".encode()).decode()
        stored = _Stored(auth=packed, identitytoken=credentials.identitytoken)
        with change_settings(self._file) as changed:
            changed.setdefault("auths", {})[key] = msgspec.to_builtins(stored)
        return ""

    def forget(self, domain: str) -> bool:
        """Remove them; False when there were none."""
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.store
        known = [name for name in settings.auths if name == key or _host(name) == _host(key)]
        if helper:
            there = _from_helper(helper, key) is not None
            if there:
                _ask(helper, "erase", key.encode())
        else:
            there = bool(known)
        if known:
            with change_settings(self._file) as changed:
                for name in known:
                    del changed["auths"][name]
        return there

    def _settings(self) -> _Settings:
        settings: _Settings = read_settings(self._file, _Settings)
        return settings


def _host(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _unpacked(stored: _Stored, key: str) -> RegistryCredentials:
    user, password = stored.username, stored.password
    if stored.auth:
        try:
            user, _, password = base64.b64decode(stored.auth).decode().rstrip("\0").partition(":")
        except ValueError as error:
            raise ConfigError(f"the credentials for {key} in config.json can't be read", hint="log in again") from error
    return RegistryCredentials(
        username=user,
        password="" if stored.identitytoken else password,
        serveraddress=key,
        identitytoken=stored.identitytoken,
        registrytoken=stored.registrytoken,
    )


def _from_helper(helper: str, key: str) -> RegistryCredentials | None:
    try:
        said = _ask(helper, "get", key.encode())
    except NotFound:
        return None
    try:
        answer = msgspec.json.decode(said, type=_Answer)
    except msgspec.DecodeError as error:
        raise ConfigError(f"docker-credential-{helper} answered no credentials") from error
    if answer.username == TOKEN:
        return RegistryCredentials(serveraddress=key, identitytoken=answer.secret)
    return RegistryCredentials(username=answer.username, password=answer.secret, serveraddress=key)


def _ask(helper: str, verb: str, given: bytes) -> bytes:
    """Run a credential program.

    Raises:
        NotFound: It has none for that registry.
        ConfigError: It isn't there, or failed.
    """
    import subprocess  # noqa: PLC0415 - few have such a program

    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run([program, verb], input=given, capture_output=True, check=False)
    except OSError as error:
        hint = f"install {program}, or take credsStore and credHelpers out of config.json"
        raise ConfigError(f"can't run {program}: {error.strerror}", hint=hint) from error
    if done.returncode:
        said = (done.stdout or done.stderr).decode(errors="replace").strip()
        if "not found" in said:
            raise NotFound(f"{program} has no credentials for it: {said}")
        raise ConfigError(f"{program} failed: {said}")
    return done.stdout
