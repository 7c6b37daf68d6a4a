"""Containers of a scripted cluster that run on a Docker-compatible engine, so that what enters them is real."""

from __future__ import annotations

import asyncio
from typing import Any

from support.kube.logs import StoredLogs
from support.kube.objects import Object
from support.kube.runtime import LocalRuntime


class EngineRuntime(LocalRuntime):
    """Runs some containers of pods on an engine; all others as `LocalRuntime` does.

    Args:
        logs: The logs of the others.
        docker: The docker program with its options.
    """

    def __init__(self, logs: StoredLogs, docker: list[str]) -> None:
        super().__init__(logs)
        self._docker = docker
        self._containers: dict[tuple[str, str], str] = {}

    def assign(self, pod: str, container: str, engine_container: str) -> None:
        """Let a container of a pod be one of the engine's."""
        self._containers[pod, container] = engine_container

    def runs(self, pod: str, container: str) -> bool:
        """Return whether a container is one of the engine's."""
        return (pod, container) in self._containers

    async def start_ephemeral(self, pod: str, spec: dict[str, Any]) -> None:
        """Start an ephemeral container in the target's process, network and IPC namespaces, as a kubelet does."""
        target = self._containers[pod, spec["targetContainerName"]]
        context = spec.get("securityContext", {})
        capabilities = context.get("capabilities", {})
        name = f"{target}-{spec['name']}"
        command = [
            *self._docker,
            *("run", "--detach", "--rm", "--name", name, "--pid", f"container:{target}"),
            *("--network", f"container:{target}", "--label", "pyd.test=kube"),
            *(f"--cap-drop={capability}" for capability in capabilities.get("drop", [])),
            *(f"--cap-add={capability}" for capability in capabilities.get("add", [])),
            *(f"--env={entry['name']}={entry['value']}" for entry in spec.get("env", [])),
            *("--security-opt=apparmor=unconfined", f"--user={context.get('runAsUser', 0)}"),
            *([] if context.get("allowPrivilegeEscalation", True) else ["--security-opt=no-new-privileges"]),
            *("--entrypoint", spec["command"][0], spec["image"], *spec["command"][1:]),
        ]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        if await process.wait() == 0:
            self.assign(pod, spec["name"], name)

    def exec_command(self, pod: Object, container: str, command: list[str], *, tty: bool) -> list[str]:
        """Return the engine's exec."""
        name = self._containers.get((pod["metadata"]["name"], container))
        if name is None:
            return super().exec_command(pod, container, command, tty=tty)
        return [*self._docker, "exec", "--interactive", *(["--tty"] if tty else []), name, *command]

    def remove_all(self) -> None:
        """Forget all containers; the caller removes them from the engine."""
        self._containers.clear()
