"""Registry credentials in the docker CLI's store, which pyd shares.

`config.json` (docker/cli, `cli/config/configfile`) holds them as base64 under `auths`, or names a credential helper:
`credsStore` for all registries, `credHelpers` for one. A helper, `docker-credential-NAME`, takes `get`, `store`,
`erase` or `list` as its argument and JSON on its standard input (docker/docker-credential-helpers).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pyd_core.client.contexts import change_settings, config_directory, read_settings
from pyd_core.errors import ConfigError, NotFound

PUBLIC_REGISTRY_KEY = "https://index.docker.io/v1/"
"""The public registry's key in the store, kept by the docker CLI for compatibility."""
TOKEN_USERNAME = "<token>"  # noqa: S105 - a marker
"""The user name under which a helper stores an identity token instead of a password."""


class RegistryCredentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """Credentials for a registry, as `X-Registry-Auth` carries them (Engine API, `AuthConfig`)."""

    username: str = ""
    password: str = ""
    serveraddress: str = ""
    identitytoken: str = ""
    """Replaces the password."""
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


def credentials_header(
    value: RegistryCredentials | Mapping[str, RegistryCredentials] | None, *, name: str = "X-Registry-Auth"
) -> dict[str, str]:
    """Return the header that carries credentials, as base64url of JSON; empty for None."""
    if value is None:
        return {}
    return {name: base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()}


def registry_key(domain: str) -> str:
    """Return a registry's key in the store."""
    return PUBLIC_REGISTRY_KEY if domain in {"", "docker.io", "index.docker.io"} else domain


class Logins:
    """The credentials in a docker configuration directory, read on demand.

    Args:
        directory: `~/.docker`, or the value of `DOCKER_CONFIG`.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "config.json"

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> Logins:
        """Return the credentials of the user with this environment."""
        return cls(config_directory(environ))

    def for_image(self, name: str) -> RegistryCredentials | None:
        """Return the credentials for an image's registry; None without a login there.

        Raises:
            InvalidInput: `name` is not an image name.
            ConfigError: config.json or its helper can't be used.
        """
        from pyd_core.model.reference import parse  # noqa: PLC0415 - only pulling and pushing need its patterns

        return self.get(parse(name).domain)

    def get(self, domain: str) -> RegistryCredentials | None:
        """Return the credentials for a registry; None without a login there."""
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.helpers.get(domain) or settings.store
        if helper:
            return _from_helper(helper, key)
        for known, stored in settings.auths.items():
            if known == key or _host(known) == _host(key):
                return _decode_stored(stored, key)
        return None

    def all(self) -> dict[str, RegistryCredentials]:
        """Return the credentials for all registries, since a build may need any of them."""
        settings = self._settings()
        names = {*settings.auths, *settings.helpers}
        credentials_by_name = {name: self.get(_host(name) if name != PUBLIC_REGISTRY_KEY else "") for name in names}
        return {name: credentials for name, credentials in credentials_by_name.items() if credentials is not None}

    def save(self, domain: str, credentials: RegistryCredentials) -> str:
        """Store credentials.

        Returns:
            The helper that stores them; empty if they are in config.json, where base64 hides nothing.
        """
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.store
        if helper:
            user = TOKEN_USERNAME if credentials.identitytoken else credentials.username
            secret = credentials.identitytoken or credentials.password
            _run_helper(helper, "store", msgspec.json.encode({"ServerURL": key, "Username": user, "Secret": secret}))
            return helper
        auth = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        if credentials.identitytoken:
            auth = base64.b64encode(f"{credentials.username}:".encode()).decode()
        stored = _Stored(auth=auth, identitytoken=credentials.identitytoken)
        with change_settings(self._file) as changed:
            changed.setdefault("auths", {})[key] = msgspec.to_builtins(stored)
        return ""

    def remove(self, domain: str) -> bool:
        """Remove a registry's credentials; return False if there were none."""
        settings = self._settings()
        key = registry_key(domain)
        helper = settings.helpers.get(key) or settings.store
        known = [name for name in settings.auths if name == key or _host(name) == _host(key)]
        if helper:
            existed = _from_helper(helper, key) is not None
            if existed:
                _run_helper(helper, "erase", key.encode())
        else:
            existed = bool(known)
        if known:
            with change_settings(self._file) as changed:
                for name in known:
                    del changed["auths"][name]
        return existed

    def _settings(self) -> _Settings:
        settings: _Settings = read_settings(self._file, _Settings)
        return settings


def _host(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _decode_stored(stored: _Stored, key: str) -> RegistryCredentials:
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
        output = _run_helper(helper, "get", key.encode())
    except NotFound:
        return None
    try:
        answer = msgspec.json.decode(output, type=_Answer)
    except msgspec.DecodeError as error:
        raise ConfigError(f"docker-credential-{helper} answered no credentials") from error
    if answer.username == TOKEN_USERNAME:
        return RegistryCredentials(serveraddress=key, identitytoken=answer.secret)
    return RegistryCredentials(username=answer.username, password=answer.secret, serveraddress=key)


def _run_helper(helper: str, verb: str, stdin: bytes) -> bytes:
    """Run a credential helper.

    Raises:
        NotFound: The helper has no credentials for that registry.
        ConfigError: The helper is missing, or failed.
    """
    import subprocess  # noqa: PLC0415 - few users have a helper

    program = f"docker-credential-{helper}"
    try:
        result = subprocess.run([program, verb], input=stdin, capture_output=True, check=False)
    except OSError as error:
        hint = f"install {program}, or take credsStore and credHelpers out of config.json"
        raise ConfigError(f"can't run {program}: {error.strerror}", hint=hint) from error
    if result.returncode:
        output = (result.stdout or result.stderr).decode(errors="replace").strip()
        if "not found" in output:
            raise NotFound(f"{program} has no credentials for it: {output}")
        raise ConfigError(f"{program} failed: {output}")
    return result.stdout
