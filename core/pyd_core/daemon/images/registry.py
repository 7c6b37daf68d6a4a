"""Client of registries: the distribution protocol (OCI distribution spec), with tokens and redirects."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx
import msgspec

from pyd_core.daemon.images.connection_errors import translate_errors
from pyd_core.daemon.images.registry_config import HUB, RegistryHost, RegistrySettings
from pyd_core.errors import EngineError, InvalidInput, NotFound, Refused
from pyd_core.model.reference import Reference

HTTP_TIMEOUT_S = httpx.Timeout(30.0, read=60.0)
_CHALLENGE = re.compile(r'\b(\w+)="([^"]*)"')

MAX_DOCUMENT_BYTES = 8 << 20
"""Limit for manifests and configurations, which are held in memory."""

PAGE_SIZE, MAX_PAGES = 1000, 100
"""Repositories per page, and number of pages; a registry that never ends its list is cut off."""

RequestContent = bytes | Callable[[], AsyncIterator[bytes]] | None
"""Request body; a function returns it again if it has to be sent twice."""

MANIFEST_MEDIA_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


class RegistryLogin(msgspec.Struct, frozen=True):
    """Credentials that the client sends in `X-Registry-Auth`."""

    username: str = ""
    password: str = ""
    identitytoken: str = ""
    serveraddress: str = ""
    registrytoken: str = ""


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None


class _Names(msgspec.Struct):
    """Page of a list: of repositories, or of a repository's tags."""

    repositories: list[str] | None = None
    tags: list[str] | None = None


def decode_credentials(header: str) -> RegistryLogin:
    """Decode `X-Registry-Auth`: base64url of JSON; unreadable values count as empty, as in Docker Engine."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)), type=RegistryLogin)
    except (ValueError, msgspec.DecodeError):
        return RegistryLogin()


class Registry:
    """Client of one registry for one repository; an async context manager.

    Args:
        reference: The repository.
        auth: The credentials of the client.
        hosts: The settings for reaching registries.
        pull: Whether to try mirrors first.
    """

    def __init__(
        self, reference: Reference, auth: RegistryLogin, hosts: RegistrySettings, *, pull: bool = False
    ) -> None:
        self.reference = reference
        self._auth = auth
        self._hosts = hosts
        self._remaining_hosts = hosts.hosts_for(reference.domain, pull=pull)
        self._use(self._remaining_hosts.pop(0))

    def _use(self, host: RegistryHost) -> None:
        self._host = host
        self._domain = host.domain
        # Mirrors don't receive the credentials for Docker Hub.
        is_own_host = host.domain in {HUB, self.reference.domain}
        self._credentials = self._auth if is_own_host else RegistryLogin()
        self._token = self._credentials.registrytoken
        self._uses_basic_auth = False
        context = self._hosts.tls_context(host)
        self._http = httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, follow_redirects=True, verify=context)
        self._base = ""

    async def next_host(self) -> bool:
        """Switch to the next host that may have the repository; return False if there is none."""
        if not self._remaining_hosts:
            return False
        await self._http.aclose()
        self._use(self._remaining_hosts.pop(0))
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def _base_url(self) -> str:
        if not self._base:
            self._base = f"{self._host.scheme or 'https'}://{self._domain}"
            if self._host.allows_insecure and not self._host.scheme:
                try:
                    await self._http.get(f"{self._base}/v2/")
                except (httpx.HTTPError, ssl.SSLError):
                    self._base = f"http://{self._domain}"
        return self._base

    def _headers(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        headers = dict(extra or {})
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._uses_basic_auth:
            pair = f"{self._credentials.username}:{self._credentials.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: RequestContent = None,
        push: bool = False,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request below the repository and yield the response, logging in if the registry requires it.

        Raises:
            Refused: The registry denies access.
            NotFound: There is no such object.
            EngineError: The registry can't be reached, or failed.
        """
        base = await self._base_url()
        url = path if path.startswith("http") else f"{base}/v2/{self.reference.path}/{path}"
        with self._translate_errors():
            response = await self._send_once(method, url, headers, content)
            try:
                challenge = response.headers.get("www-authenticate", "")
                if response.status_code == 401 and await self._log_in(challenge, push=push):
                    await response.aclose()
                    response = await self._send_once(method, url, headers, content)
                await self._raise_for_status(response)
                yield response
            finally:
                await response.aclose()

    def _translate_errors(self) -> AbstractContextManager[None]:
        return translate_errors(
            f"registry {self._domain}", certificate=f"{self._hosts.certificates}/{self._domain}/ca.crt"
        )

    async def _send_once(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: RequestContent
    ) -> httpx.Response:
        def request() -> httpx.Request:
            body = content() if callable(content) else content
            return self._http.build_request(method, url, headers=self._headers(headers), content=body)

        try:
            return await self._http.send(request(), stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # The server may have closed a kept-alive connection just as it was used again.
            if method not in {"GET", "HEAD"}:
                raise
            return await self._http.send(request(), stream=True)

    async def _log_in(self, challenge: str, *, push: bool) -> bool:
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic":
            self._uses_basic_auth = bool(self._credentials.username)
            return self._uses_basic_auth
        fields = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or "realm" not in fields:
            return False
        actions = "pull,push" if push else "pull"
        scope = fields.get("scope") or f"repository:{self.reference.path}:{actions}"
        query = {"service": fields.get("service", ""), "scope": scope}
        pair = (self._credentials.username, self._credentials.password) if self._credentials.username else None
        response = await self._http.get(fields["realm"], params=query, auth=pair)
        if response.status_code != 200:
            return False
        try:
            token = msgspec.json.decode(response.content, type=_Token)
        except msgspec.DecodeError:
            return False
        self._token = token.token or token.access_token or ""
        return bool(self._token)

    async def _raise_for_status(self, response: httpx.Response) -> None:
        if response.status_code < 400:
            return
        text = (await response.aread())[:2000].decode(errors="replace")
        name = str(self.reference)
        if response.status_code in {401, 403}:
            raise NotFound(
                f"pull access denied for {self.reference.familiar}, repository does not exist or may require 'docker "
                "login': denied: requested access to the resource is denied"
            )
        if response.status_code == 404:
            raise NotFound(f"manifest for {name} not found: manifest unknown: manifest unknown")
        raise EngineError(f"registry {self._domain} answered {response.status_code}: {text.strip()[:300]}")

    async def manifest(self, version: str) -> tuple[str, bytes, str]:
        """Fetch a manifest by tag or digest: its media type, its body and its verified digest.

        Raises:
            InvalidInput: The body doesn't match its digest.
        """
        async with self.send(
            "GET", f"manifests/{version}", headers={"Accept": ", ".join(MANIFEST_MEDIA_TYPES)}
        ) as response:
            body = await self._read_document(response)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if version.startswith("sha256:") and version != digest:
            raise InvalidInput(
                f"manifest digest mismatch: expected {version}, got {digest}", reference="digest-mismatch"
            )
        return response.headers.get("content-type", "").partition(";")[0], body, digest

    async def _read_document(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_DOCUMENT_BYTES:
                raise InvalidInput(
                    f"registry {self._domain} answered with a document larger than {MAX_DOCUMENT_BYTES >> 20} MB"
                )
        return bytes(body)

    async def config(self, digest: str) -> bytes:
        """Fetch an image's configuration.

        Raises:
            InvalidInput: The body doesn't match its digest.
        """
        async with self.send("GET", f"blobs/{digest}") as response:
            body = await self._read_document(response)
        actual = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if actual != digest:
            raise InvalidInput(f"digest mismatch: expected {digest}, got {actual}", reference="digest-mismatch")
        return body

    async def has_blob(self, digest: str) -> bool:
        """Return whether the repository has a blob."""
        try:
            async with self.send("HEAD", f"blobs/{digest}", push=True):
                return True
        except NotFound:
            return False

    async def catalog(self) -> AsyncGenerator[str, None]:
        """Yield the names of all repositories, page by page.

        Raises:
            EngineError: The registry doesn't list repositories.
        """
        try:
            async for page in self._pages("_catalog"):
                for name in page.repositories or []:
                    yield name
        except (NotFound, msgspec.DecodeError) as error:
            raise EngineError(
                f"registry {self._domain} can't be searched: it doesn't list repositories, or requires a login",
                hint=f"docker login {self._domain}",
            ) from error

    async def tags(self) -> list[str]:
        """Return the tags of the repository.

        Raises:
            NotFound: There is no such repository.
            EngineError: The response is not a list.
        """
        try:
            return [tag async for page in self._pages(f"{self.reference.path}/tags/list") for tag in page.tags or []]
        except msgspec.DecodeError as error:
            raise EngineError(f"registry {self._domain} doesn't list the tags of {self.reference.path}") from error

    async def _pages(self, path: str) -> AsyncGenerator[_Names, None]:
        base = await self._base_url()
        url = f"{base}/v2/{path}?n={PAGE_SIZE}"
        for _ in range(MAX_PAGES):
            async with self.send("GET", url) as response:
                yield msgspec.json.decode(await self._read_document(response), type=_Names)
                next_url = response.links.get("next", {}).get("url", "")
            url = urljoin(url, next_url)
            if not next_url or not url.startswith(f"{base}/"):  # credentials aren't sent to another host
                return

    async def check_login(self) -> None:
        """Log in.

        Raises:
            Refused: The registry rejects the credentials.
            EngineError: The registry can't be reached, or failed.
        """
        base = await self._base_url()
        with self._translate_errors():
            response = await self._http.get(f"{base}/v2/")
            if response.status_code == 401:
                await self._log_in(response.headers.get("www-authenticate", ""), push=False)
                response = await self._http.get(f"{base}/v2/", headers=self._headers(None))
        if response.status_code >= 400:
            raise Refused("unauthorized: incorrect username or password")
