"""Exec plugins: programs that print credentials (`client.authentication.k8s.io`)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import msgspec

from pyd_core.errors import ProtocolError, Refused
from pyd_core.kube.access import AccessSettings, ExecPlugin
from pyd_core.model.base import parse_time
from pyd_core.sanitise import safe, safe_bytes

TIMEOUT_S = 60.0
"""Seconds that a plugin may take; one that may ask on the terminal has no limit but its user's."""
MAX_OUTPUT_BYTES = 2**20


class PluginCredential(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials that a plugin printed."""

    token: str = ""
    certificate: bytes | None = None
    key: bytes | None = None
    expires_s: float = float("inf")
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        """Show none of the secrets."""
        return f"PluginCredential(expires_s={self.expires_s})"


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    expiration_timestamp: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class _Credential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


async def run_plugin(plugin: ExecPlugin, settings: AccessSettings, *, may_ask: bool) -> PluginCredential:
    """Run a plugin and return what it printed.

    Args:
        plugin: The program.
        settings: The cluster, which some plugins ask for.
        may_ask: Whether it may use the terminal.

    Raises:
        Refused: It can't be run, failed, or didn't end in time.
        ProtocolError: It printed no credentials.
    """
    name = safe(os.path.basename(plugin.command))  # noqa: PTH119 - a text, not a path
    interactive = may_ask and plugin.interactive_mode != "Never" and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not interactive:
        raise Refused(
            f"the credential plugin {name} has to ask on a terminal",
            hint="run a kubectl or pyd command on a terminal once, so that it can cache its credentials",
            reference="credential-plugin",
        )
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.arguments,
            env=os.environ | plugin.environment | {"KUBERNETES_EXEC_INFO": _info(plugin, settings, interactive)},
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=None if interactive else asyncio.subprocess.PIPE,
            start_new_session=not interactive,
        )
    except (OSError, ValueError) as error:
        hint = safe(" ".join(plugin.install_hint.split()))[:300] or "check users[].user.exec in the kubeconfig"
        text = error.strerror if isinstance(error, OSError) else str(error)
        raise Refused(
            f"can't run the credential plugin {name}: {text}", hint=hint, reference="credential-plugin"
        ) from error
    try:
        async with asyncio.timeout(None if interactive else TIMEOUT_S):
            output, errors, code = await _collect(process)
    except TimeoutError as error:
        raise Refused(
            f"the credential plugin {name} did not end within {TIMEOUT_S:g} s",
            hint=f"run it by hand: {safe(plugin.command)}",
            reference="credential-plugin",
        ) from error
    finally:
        await _end(process, group=not interactive)
    if code:
        last = safe_bytes(errors.strip().rpartition(b"\n")[2])[:300]
        raise Refused(
            f"the credential plugin {name} failed with exit code {code}" + (f": {last}" if last else ""),
            hint="log in again, or run it by hand",
            reference="credential-plugin",
        )
    return _decode(output, name)


async def _collect(process: asyncio.subprocess.Process) -> tuple[bytes, bytes, int]:
    """Read both outputs, bounded, until the program ends."""
    output, errors = await asyncio.gather(_read(process.stdout), _read(process.stderr))
    return output, errors, await process.wait()


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    kept = b""
    while stream is not None and (data := await stream.read(65536)):
        kept = (kept + data)[:MAX_OUTPUT_BYTES]
    return kept


async def _end(process: asyncio.subprocess.Process, *, group: bool) -> None:
    """Kill a program that is left, with its children."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if group else process.kill()
        await process.wait()


def _info(plugin: ExecPlugin, settings: AccessSettings, interactive: bool) -> str:
    spec: dict[str, object] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        import base64  # noqa: PLC0415 - few plugins ask for it

        spec["cluster"] = {
            "server": settings.server,
            "tls-server-name": settings.server_name,
            "insecure-skip-tls-verify": not settings.verify,
            "certificate-authority-data": base64.b64encode(settings.ca or b"").decode(),
            "proxy-url": settings.proxy,
            "config": None,
        }
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return msgspec.json.encode(info).decode()


def _decode(output: bytes, name: str) -> PluginCredential:
    try:
        credential = msgspec.json.decode(output, type=_Credential)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(
            f"the credential plugin {name} printed no ExecCredential", reference="credential-plugin"
        ) from error
    status = credential.status
    if credential.kind != "ExecCredential" or status is None or not (status.token or status.client_certificate_data):
        raise ProtocolError(f"the credential plugin {name} printed no credentials", reference="credential-plugin")
    expiry_ns = parse_time(status.expiration_timestamp)
    return PluginCredential(
        token=status.token,
        certificate=status.client_certificate_data.encode() or None,
        key=status.client_key_data.encode() or None,
        expires_s=float("inf") if expiry_ns is None else expiry_ns / 1e9,
    )
