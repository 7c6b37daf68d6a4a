"""Tokens of OpenID Connect: the kubeconfig's `oidc` provider (OpenID Connect Core 1.0, section 12)."""

from __future__ import annotations

import base64
import ssl
import time

import httpx
import msgspec

from pyd_core.errors import ConfigError, Refused
from pyd_core.kube.access import AuthProvider
from pyd_core.sanitise import safe

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 2**20
EXPIRY_MARGIN_S = 10.0


class _Discovery(msgspec.Struct):
    token_endpoint: str = ""


class _Tokens(msgspec.Struct):
    id_token: str = ""
    refresh_token: str = ""


_rotated: dict[tuple[str, str], str] = {}
"""Refresh tokens that an issuer has replaced while this process runs, by issuer and client."""


async def refresh_token(provider: AuthProvider, previous: str = "") -> str:
    """Return an id token that is valid, from the kubeconfig or by its refresh token.

    The kubeconfig isn't changed. An issuer that replaces refresh tokens at each use has to be asked by kubectl, or
    through an exec plugin, which store the new one.

    Raises:
        Refused: The issuer refused, or can't be reached.
        ConfigError: The kubeconfig lacks what is needed.
    """
    from pyd_core.kube.credentials import token_expiry  # noqa: PLC0415 - it imports this module

    config = provider.config
    token = config.get("id-token", "")
    if token and token != previous and token_expiry(token) > time.time() + EXPIRY_MARGIN_S:
        return token
    issuer, client = config.get("idp-issuer-url", ""), config.get("client-id", "")
    key = (issuer, client)
    refresh = _rotated.get(key) or config.get("refresh-token", "")
    if not issuer.startswith("https://") or not client or not refresh:
        raise ConfigError(
            "the id token in the kubeconfig has expired, and it lacks what a refresh needs",
            hint="log in again; idp-issuer-url, client-id and refresh-token are needed",
            reference="oidc-expired",
        )
    try:
        async with httpx.AsyncClient(verify=_trust(provider), timeout=TIMEOUT_S, follow_redirects=False) as client_http:
            answer = await client_http.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            answer.raise_for_status()
            endpoint = msgspec.json.decode(answer.content[:MAX_ANSWER_BYTES], type=_Discovery).token_endpoint
            if not endpoint.startswith("https://"):
                raise Refused("the OIDC issuer names no token endpoint with TLS", reference="oidc-refused")
            form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": client}
            secret = config.get("client-secret", "")
            basic = httpx.BasicAuth(client, secret) if secret else httpx.Auth()
            answer = await client_http.post(endpoint, data=form, auth=basic)
            answer.raise_for_status()
            tokens = msgspec.json.decode(answer.content[:MAX_ANSWER_BYTES], type=_Tokens)
    except httpx.HTTPStatusError as error:
        raise Refused(
            f"the OIDC issuer answered {error.response.status_code} to a refresh",
            hint="log in again",
            reference="oidc-refused",
        ) from error
    except (httpx.HTTPError, OSError, msgspec.DecodeError) as error:
        raise Refused(
            f"no token from the OIDC issuer {safe(issuer)}: {safe(str(error))[:200]}", reference="oidc-refused"
        ) from error
    if not tokens.id_token:
        raise Refused("the OIDC issuer sent no id token", hint="log in again", reference="oidc-refused")
    if tokens.refresh_token:
        _rotated[key] = tokens.refresh_token
    return tokens.id_token


def _trust(provider: AuthProvider) -> ssl.SSLContext:
    context = ssl.create_default_context()
    data = provider.config.get("idp-certificate-authority-data", "")
    file = provider.config.get("idp-certificate-authority", "")
    try:
        if data:
            context.load_verify_locations(cadata=base64.b64decode(data).decode())
        elif file:
            context.load_verify_locations(cafile=file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't use the CA of the OIDC issuer: {error}") from error
    return context
