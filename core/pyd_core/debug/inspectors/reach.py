"""The target's reach of a host and port, layer by layer."""

from __future__ import annotations

import errno
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from pyd_core.debug.access import Access, AccessProcess
from pyd_core.debug.inspectors.dns import addresses, is_address, read_hosts, read_resolver
from pyd_core.errors import InvalidInput, KernelError, NotFound, PydError

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS_PORTS = frozenset({443, 465, 636, 853, 990, 993, 995, 2376, 5671, 6443, 8443})
"""Ports on which a server speaks TLS from the first byte."""

BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
MAX_BUNDLE_BYTES = 4 << 20

_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
_SILENT = {errno.ETIMEDOUT}


class ReachStep(msgspec.Struct, frozen=True, kw_only=True):
    """A layer: the attempt and its outcome."""

    layer: str
    """`dns`, `route`, `connect` or `tls`."""
    ok: bool
    text: str
    milliseconds: float = 0.0


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """All layers of an attempt."""

    host: str
    port: int
    steps: tuple[ReachStep, ...]
    failed: str = ""
    """`dns`, `route`, `refused`, `timeout`, `reset` or `tls`; empty when all went well."""
    advice: str = ""

    @property
    def ok(self) -> bool:
        """True where the host can be reached."""
        return not self.failed


def parse_place(text: str) -> tuple[str, int, bool | None]:
    """Read `HOST:PORT`, `[ADDRESS]:PORT` or a URL: host, port, and whether TLS is wanted if that is said.

    Raises:
        InvalidInput: It is none of these.
    """
    tls: bool | None = None
    rest = text
    default = ""
    for scheme, port, uses_tls in (("https://", "443", True), ("http://", "80", False), ("tcp://", "", None)):
        if text.startswith(scheme):
            rest, default, tls = text.removeprefix(scheme).partition("/")[0].rpartition("@")[2], port, uses_tls
    host, colon, number = rest.rpartition(":")
    if rest.endswith("]") or not colon:
        host, number = rest, default
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (number.isascii() and number.isdigit()) or not 0 < int(number) < 65536:
        raise InvalidInput(f"not a host and port: {text!r}", hint="write HOST:PORT, as in db:5432 or [::1]:80")
    return host, int(number), tls


def join_place(host: str, port: str) -> str:
    """Return a host and a port that are written apart, as nc takes them, as `parse_place` reads them.

    Raises:
        InvalidInput: The host has a port already.
    """
    is_address = host.count(":") > 1 and not host.startswith("[")
    if "/" in host or (":" in host and not is_address and not host.endswith("]")):
        raise InvalidInput(f"two ports: {host!r} and {port!r}", hint="write HOST PORT or HOST:PORT")
    return f"[{host}]:{port}" if is_address else f"{host}:{port}"


def reach(access: Access, host: str, port: int, *, tls: bool) -> Reached:
    """Try layer by layer from inside the target's network, and stop at the first that fails."""
    steps: list[ReachStep] = []

    def end(failed: str = "", advice: str = "") -> Reached:
        return Reached(host=host, port=port, steps=tuple(steps), failed=failed, advice=advice)

    began = time.monotonic()
    try:
        resolved = addresses(access, host)
    except (NotFound, InvalidInput) as error:
        steps.append(_step("dns", began, error.message, ok=False))
        servers = ", ".join(read_resolver(access).servers)
        return end("dns", f"ask its name servers ({servers}) yourself: dns {host}")
    if not is_address(host):
        source = "/etc/hosts" if read_hosts(access, host) else "DNS"
        steps.append(_step("dns", began, f"{', '.join(resolved)} ({source})"))
    connection, failure = None, KernelError("connect", errno.EADDRNOTAVAIL)
    for address in resolved:
        began = time.monotonic()
        try:
            connection = access.connect(address, port)
        except KernelError as error:
            failure = error
            steps.append(_failed_step(error.errno, address, port, began))
            continue
        steps.append(_step("connect", began, f"{address} port {port} answers"))
        break
    if connection is None:
        return end(*_explained(failure.errno, port))
    try:
        if tls:
            began = time.monotonic()
            try:
                steps.append(_step("tls", began, _handshake(access, connection, host)))
            except (ssl.SSLError, OSError, PydError) as error:
                steps.append(_step("tls", began, _tls_words(error), ok=False))
                return end("tls", "look at what it offers: openssl s_client -connect " + f"{host}:{port}")
    finally:
        connection.end()
    return end()


def _step(layer: str, began: float, text: str, *, ok: bool = True) -> ReachStep:
    return ReachStep(layer=layer, ok=ok, text=text, milliseconds=round((time.monotonic() - began) * 1000, 1))


def _failed_step(number: int, address: str, port: int, began: float) -> ReachStep:
    if number in _ROUTE:
        return _step(
            "route", began, f"no way to {address}: {KernelError('', number).message.rpartition(': ')[2]}", ok=False
        )
    words = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset"}.get(number)
    if number in _SILENT:
        words = "no answer in time"
    return _step("connect", began, f"{address} port {port}: {words or KernelError('', number).message}", ok=False)


def _explained(number: int, port: int) -> tuple[str, str]:
    if number in _ROUTE:
        return "route", "see its routes with: net; containers reach each other by name only on a common network"
    if number == errno.ECONNREFUSED:
        return "refused", f"the host is there and nothing listens on port {port}, or only on its own 127.0.0.1"
    if number in _SILENT:
        return "timeout", "packets go out and nothing comes back: a firewall, a host that is down, or a wrong network"
    return "reset", "something on the way or at the end cut it off"


def _handshake(access: Access, connection: AccessProcess, host: str) -> str:
    """Make a TLS handshake over a connection, trusting what the target trusts; return what was agreed on."""
    context = ssl.create_default_context()
    for bundle in BUNDLES:
        try:
            text = access.read_file(bundle, limit=MAX_BUNDLE_BYTES).decode("ascii", errors="ignore")
            context = ssl.create_default_context(cadata=text)
        except (PydError, ssl.SSLError):
            continue
        break
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(arrived, leaving, server_hostname=host)
    for _ in _rounds(session.do_handshake):
        connection.write(leaving.read())
        data = connection.read()
        if data:
            arrived.write(data)
        else:
            arrived.write_eof()
    connection.write(leaving.read())
    cipher = session.cipher()
    until = (session.getpeercert() or {}).get("notAfter", "")
    return f"{session.version()}, {cipher[0] if cipher else ''}; its certificate is trusted and good until {until}"


def _rounds(handshake: Callable[[], None]) -> Iterator[None]:
    while True:
        try:
            handshake()
        except ssl.SSLWantReadError:
            yield
        else:
            return


def _tls_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate isn't trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "it hung up during the handshake"
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
            return "it doesn't speak TLS there"
        return f"the handshake failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    return str(error)
