"""Credentials of requests to a cluster: headers that may have to be refreshed."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from pathlib import Path

import msgspec

from pyd_core.errors import ConfigError, Refused
from pyd_core.kube.access import AccessSettings
from pyd_core.kube.exec_plugin import PluginCredential, run_plugin

TOKEN_FILE_INTERVAL_S = 60.0
"""Tokens in files are replaced by their kubelet before they expire."""
EXPIRY_MARGIN_S = 10.0
"""Credentials are refreshed this long before they expire."""


class Credentials:
    """The credentials of one user.

    Args:
        settings: The user's access.
        may_ask: Whether an exec plugin may use the terminal.
    """

    def __init__(self, settings: AccessSettings, *, may_ask: bool = False) -> None:
        self._settings = settings
        self._may_ask = may_ask
        self._lock = asyncio.Lock()
        self._token = ""
        self._expires_s = 0.0
        self._plugin: PluginCredential | None = None

    @property
    def refreshable(self) -> bool:
        """Whether a request that was answered with 401 is worth another attempt."""
        settings = self._settings
        return bool(settings.plugin or settings.token_file or settings.provider)

    def invalidate(self) -> None:
        """Fetch credentials again before the next request."""
        self._expires_s = 0.0

    async def certificate(self) -> tuple[bytes, bytes] | None:
        """Return the client certificate and its key.

        Raises:
            Refused: The exec plugin failed.
        """
        if self._settings.plugin is not None:
            await self._refresh()
            if self._plugin is not None and self._plugin.certificate and self._plugin.key:
                return self._plugin.certificate, self._plugin.key
        if self._settings.certificate is None or self._settings.key is None:
            return None
        return self._settings.certificate, self._settings.key

    async def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request.

        Raises:
            Refused: No credentials could be fetched.
            ConfigError: The kubeconfig asks for a provider that pyd doesn't know.
        """
        settings = self._settings
        headers: dict[str, str] = {}
        if settings.username and not settings.token:
            pair = f"{settings.username}:{settings.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            await self._refresh()
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
        if settings.impersonate:
            headers["Impersonate-User"] = settings.impersonate
        if settings.impersonate_uid:
            headers["Impersonate-Uid"] = settings.impersonate_uid
        return headers

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups to impersonate, a header each."""
        return self._settings.impersonate_groups

    async def _refresh(self) -> None:
        async with self._lock:
            if time.time() >= self._expires_s:
                self._token, self._expires_s = await self._fetch()

    async def _fetch(self) -> tuple[str, float]:
        """Return a token, and the time at which it has to be fetched again."""
        settings = self._settings
        if settings.plugin is not None:
            self._plugin = await run_plugin(settings.plugin, settings, may_ask=self._may_ask)
            return self._plugin.token, self._plugin.expires_s - EXPIRY_MARGIN_S
        if settings.token_file is not None:
            return _read_token(settings.token_file), time.time() + TOKEN_FILE_INTERVAL_S
        if settings.token:
            return settings.token, float("inf")
        if settings.provider is not None:
            from pyd_core.kube.oidc import refresh_token  # noqa: PLC0415 - few users have one

            if settings.provider.name != "oidc":
                raise ConfigError(
                    f"the kubeconfig's auth provider {settings.provider.name!r} was removed from Kubernetes",
                    hint="use an exec plugin instead",
                    reference="no-such-auth-provider",
                )
            token = await refresh_token(settings.provider, self._token)
            return token, token_expiry(token) - EXPIRY_MARGIN_S
        return "", float("inf")


def token_expiry(token: str) -> float:
    """Return the expiry of a JSON web token in seconds since the epoch; infinity where it names none."""

    class Claims(msgspec.Struct):
        exp: float = float("inf")

    try:
        _, payload, _ = token.split(".")
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(decoded, type=Claims).exp
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return float("inf")


def _read_token(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"can't read the token in {path}", hint="check tokenFile in the kubeconfig", reference="no-token"
        ) from error
