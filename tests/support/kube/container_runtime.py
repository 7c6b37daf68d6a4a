"""A runtime whose containers are those of a container engine, by the docker client."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
from pathlib import Path
from typing import Any

from support.kube.logs import chosen_lines, no_previous, stamped
from support.kube.objects import Object
from support.kube.runtime import Connection
from support.kube.wire import Answer, Chunked, Request

CLONE_NEWNET = 0x40000000


class EngineFailure(Exception):
    """The engine refused."""


class ContainerRuntime:
    """Runs the containers of pods on an engine.

    Args:
        host: The address of the engine.
    """

    def __init__(self, host: str) -> None:
        self.host = host

    async def docker(self, *arguments: str) -> str:
        """Run the docker client, and return its output.

        Raises:
            EngineFailure: It failed.
        """
        process = await asyncio.create_subprocess_exec(
            *self.client(*arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode:
            raise EngineFailure(errors.decode().strip())
        return output.decode().strip()

    def client(self, *arguments: str) -> list[str]:
        """Return a command of the docker client."""
        return ["docker", "-H", self.host, *arguments]

    def sandbox(self, pod: Object) -> str:
        """Return the name of the container that holds a pod's namespaces."""
        return f"k8s_POD_{pod['metadata']['name']}_{_uid(pod)}"

    def container(self, pod: Object, name: str, *, back: int = 0) -> str:
        """Return the name of a container's run, as the pod's status counts it, or of one before it."""
        return self.run(pod, name, int(container_status_of(pod, name).get("restartCount", 0)) - back)

    def run(self, pod: Object, name: str, attempt: int) -> str:
        """Return the name of a container's run."""
        return f"k8s_{name}_{pod['metadata']['name']}_{_uid(pod)}_{attempt}"

    async def state(self, name: str) -> dict[str, Any]:
        """Return the state of a container as the engine has it."""
        loaded: dict[str, Any] = json.loads(await self.docker("inspect", "-f", "{{json .State}}", name))
        return loaded

    async def logs(self, request: Request, pod: Object, container: str, writer: asyncio.StreamWriter) -> Answer | None:
        """Answer with a container's log; None where it was streamed."""
        previous = request.flag("previous")
        known = container_status_of(pod, container)
        if previous and not known.get("lastState"):
            return no_previous(container, pod["metadata"]["name"])
        # While a container waits to run again, its last run is the current one and the previous one.
        name = self.container(pod, container, back=1 if previous and "waiting" not in known["state"] else 0)
        if not request.flag("follow"):
            log = await self._log(name)
            return Answer(200, b"".join(chosen_lines(request, log)))
        process = await asyncio.create_subprocess_exec(
            *self.client("logs", "-t", "-f", *_log_options(request), name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        stream = Chunked(writer, kind="text/plain")
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                await stream.send(b"".join(stamped(request, [line])))
            await stream.end()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            writer.close()
        return None

    async def _log(self, name: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self.client("logs", "-t", name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return b"" if process.returncode else b"".join(sorted(output.splitlines(keepends=True)))

    def exec_command(self, pod: Object, container: str, command: list[str], *, tty: bool) -> list[str]:
        """Return the client's exec of a command in a container."""
        return self.client("exec", "-it" if tty else "-i", self.container(pod, container), *command)

    def attach_command(self, pod: Object, container: str) -> list[str]:
        """Return the client's attach to a container."""
        return self.client("attach", "--sig-proxy=false", self.container(pod, container))

    async def connect(self, pod: Object, port: int) -> Connection:
        """Connect to a port on the loopback interface of a pod."""
        pid = await self.docker("inspect", "-f", "{{.State.Pid}}", self.sandbox(pod))
        connected = await asyncio.to_thread(_connect_within, int(pid), port)
        return await asyncio.open_connection(sock=connected)


def container_status_of(pod: Object, name: str) -> Object:
    """Return the status of a container; empty where it has none."""
    known = pod.get("status") or {}
    fields = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    listed: list[Object] = [entry for field in fields for entry in known.get(field) or [] if entry["name"] == name]
    return listed[0] if listed else {}


def _uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])


def _log_options(request: Request) -> list[str]:
    options = []
    if request.text("tailLines"):
        options += ["--tail", request.text("tailLines")]
    if request.text("sinceTime"):
        options += ["--since", request.text("sinceTime")]
    if request.text("sinceSeconds"):
        options += ["--since", f"{request.text('sinceSeconds')}s"]
    return options


def _connect_within(pid: int, port: int) -> socket.socket:
    """Connect within the network namespace of a process; the thread goes back to its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    other = os.open(Path(f"/proc/{pid}/ns/net"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        finally:
            if libc.setns(own, CLONE_NEWNET):
                os._exit(1)
        connection.setblocking(False)
        return connection
    finally:
        os.close(own)
        os.close(other)
