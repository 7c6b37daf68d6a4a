"""Transport to engines on another host, over ssh.

One ssh process is the connection (an OpenSSH control master). It forwards a local socket to the engine's, which costs
no process and no session per stream. If the host refuses that or its docker command leads elsewhere, each stream is a
session that runs `docker system dial-stdio`, as with the docker CLI. Either way callers use HTTP on a local socket,
half-closed streams included.

Only the user's ssh configuration decides who may connect where: keys, agents, jump hosts and known hosts are never
overridden. One-shot commands use this asynchronous transport too.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import ssh_failures
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.client.transport.http import HttpTransport
from pyd_core.client.transport.lifeline import die_with_parent
from pyd_core.client.transport.ssh_sessions import Sessions
from pyd_core.errors import EngineUnavailable

READY = "pyd-connected"
PROBE = "pyd-engine"

CONNECT_TIMEOUT_S = 30
"""Seconds for ssh to reach the host, as the docker CLI gives it."""

OPTIONS = (
    "-T",
    "-o", "ControlPersist=no",
    "-o", "RemoteCommand=none",
    "-o", "ForwardX11=no",
    "-o", "ForwardAgent=no",
    "-o", f"ConnectTimeout={CONNECT_TIMEOUT_S}",
    "-o", "ServerAliveInterval=15",
    "-o", "ServerAliveCountMax=3",
)  # fmt: skip

SOCKET_CANDIDATES = (
    "${DOCKER_HOST#unix://}",
    "/var/run/docker.sock",
    "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock",
    "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock",
    "/run/podman/podman.sock",
)
"""Where engines listen on the other host, as its shell expands it."""


class SshTransport:
    """A transport through one ssh process, started by the first request and started again when it ended.

    Args:
        endpoint: `ssh://[user@]host[:port][/socket path]`.
        may_ask: Let ssh ask for passwords, passphrases and unknown host keys on the terminal.
        environ: `PYD_SSH` names another ssh command line, such as `ssh -F config`.
    """

    def __init__(self, endpoint: Endpoint, *, may_ask: bool = False, environ: Mapping[str, str] = os.environ) -> None:
        self._endpoint = endpoint
        self._command = [*shlex.split(environ.get("PYD_SSH") or "ssh"), *OPTIONS]
        self._may_ask = may_ask
        if not may_ask:
            self._command += ["-o", "BatchMode=yes"]
        self._tunnel: Tunnel | None = None
        self._opening = asyncio.Lock()

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response."""
        return await (await self._http()).request(request)

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        async with (await self._http()).stream(request) as stream:
            yield stream

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take over the raw connection."""
        return await (await self._http()).upgrade(request)

    async def aclose(self) -> None:
        """End ssh and all that runs over it."""
        if self._tunnel is not None:
            await self._tunnel.aclose()
            self._tunnel = None

    async def _http(self) -> HttpTransport:
        async with self._opening:
            if self._tunnel is not None and not self._tunnel.alive:
                await self._tunnel.aclose()
                self._tunnel = None
            if self._tunnel is None:
                self._tunnel = await Tunnel.open(self._endpoint, self._command, detached=not self._may_ask)
            return self._tunnel.http


class Tunnel:
    """A running ssh, its private directory with the sockets, and HTTP over them."""

    def __init__(self, endpoint: Endpoint, command: list[str], directory: Path, master: Process) -> None:
        self._endpoint = endpoint
        self._directory = directory
        self._master = master
        self._sessions: Sessions | None = None
        self._control = [*command, "-o", "ControlMaster=no", "-S", str(directory / "c")]
        self._local = directory / "e"
        self.http = HttpTransport(endpoint, socket_path=self._local)

    @property
    def alive(self) -> bool:
        """Whether ssh is still running."""
        return self._master.returncode is None

    @classmethod
    async def open(cls, endpoint: Endpoint, command: list[str], *, detached: bool) -> Tunnel:
        """Connect, and find the engine there.

        Raises:
            EngineUnavailable: The host can't be reached or has no engine.
            Refused: It doesn't let us in, isn't the host known by that name, or its engine's socket is closed to us.
        """
        directory = Path(tempfile.mkdtemp(prefix="pyd-", dir=os.environ.get("XDG_RUNTIME_DIR")))
        tunnel: Tunnel | None = None
        try:
            master = await _start_master(endpoint, command, directory, detached=detached)
            tunnel = cls(endpoint, command, directory, master)
            await tunnel._reach_engine()
        except BaseException:
            if tunnel is None:
                shutil.rmtree(directory, ignore_errors=True)
            else:
                await tunnel.aclose()
            raise
        return tunnel

    async def _reach_engine(self) -> None:
        """Find the engine's socket on the host and open a way to it."""
        path = unquote(urlsplit(self._endpoint.url).path)
        candidates = (
            (shlex.quote(path),) if path not in {"", "/"} else tuple(f'"{socket}"' for socket in SOCKET_CANDIDATES)
        )
        status, out, err = await self._run(*_target(self._endpoint), _probe(candidates))
        probed = dict(
            line.removeprefix(PROBE).split(maxsplit=1) for line in out.splitlines() if line.startswith(f"{PROBE} ")
        )
        if "socket" in probed and await self._forward(probed["socket"]):
            return
        if "docker" in probed and path in {"", "/"}:
            dial = [*self._control, *_target(self._endpoint), "docker system dial-stdio"]
            self._sessions = Sessions(self._local, dial, self._endpoint)
            await self._sessions.open()
            return
        if not probed:
            raise ssh_failures.from_stderr(err or f"the remote shell ended with {status}", self._endpoint)
        raise ssh_failures.no_engine(self._endpoint, probed, path)

    async def _forward(self, remote: str) -> bool:
        """Let a local socket lead to the engine's; False when the host doesn't allow that."""
        forward = f"{self._local}:{remote}"
        status, _out, _err = await self._run("-O", "forward", "-L", forward, *_target(self._endpoint))
        if status != 0:
            return False
        try:
            await self.http.request(ApiRequest(method="GET", target="/_ping", headers={}, timeout=CONNECT_TIMEOUT_S))
        except EngineUnavailable:
            await self._run("-O", "cancel", "-L", forward, *_target(self._endpoint))
            self._local.unlink(missing_ok=True)
            return False
        return True

    async def _run(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *self._control,
            *arguments,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            preexec_fn=die_with_parent(),
            start_new_session=True,
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")

    async def aclose(self) -> None:
        """End ssh and remove the sockets."""
        await self.http.aclose()
        if self._sessions is not None:
            await self._sessions.aclose()
        with suppress(ProcessLookupError):
            self._master.terminate()
        await self._master.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


async def _start_master(endpoint: Endpoint, command: list[str], directory: Path, *, detached: bool) -> Process:
    """Start the ssh that holds the connection, and return it once it is through.

    `alone` takes it out of reach of the terminal's Ctrl-C, which may be meant for something else; it can't ask then.
    """
    mode = ["-M", "-N", "-S", str(directory / "c"), "-o", "ClearAllForwardings=yes"]
    ready_signal = ["-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {READY}"]
    errors = directory / "log"
    try:
        with errors.open("wb") as log:
            master = await asyncio.create_subprocess_exec(
                *command, *mode, *ready_signal, *_target(endpoint),
                stdin=DEVNULL, stdout=PIPE, stderr=log, preexec_fn=die_with_parent(), start_new_session=detached,
            )  # fmt: skip
    except OSError as error:
        raise EngineUnavailable(
            f"can't run {command[0]}: {error.strerror}",
            hint="install the OpenSSH client: apt install openssh-client",
            reference="ssh-missing",
        ) from error
    try:
        assert master.stdout is not None  # noqa: S101 - a pipe was asked for
        async for line in master.stdout:
            if line.strip().decode(errors="replace") == READY:
                return master
    except BaseException:
        with suppress(ProcessLookupError):
            master.kill()
        await master.wait()
        raise
    await master.wait()
    raise ssh_failures.from_stderr(errors.read_text(errors="replace"), endpoint)


def _target(endpoint: Endpoint) -> list[str]:
    """Host, user and port as arguments; `--` keeps a host name from being read as an option."""
    parts = urlsplit(endpoint.url)
    user = ["-l", unquote(parts.username)] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    return [*user, *port, "--", parts.hostname or ""]


def _probe(candidates: tuple[str, ...]) -> str:
    """A shell command that names the first engine's socket that lets us in, and what else there is."""
    script = (
        f"for s in {' '.join(candidates)}; do "
        f'if [ -S "$s" ]; then if [ -r "$s" ] && [ -w "$s" ]; then echo "{PROBE} socket $s"; break; '
        f'else echo "{PROBE} denied $s"; fi; fi; done; '
        f'if command -v docker >/dev/null 2>&1; then echo "{PROBE} docker there"; fi; echo "{PROBE} done yes"'
    )
    return f"exec sh -c {shlex.quote(script)}"
