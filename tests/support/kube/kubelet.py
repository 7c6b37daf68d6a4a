"""A kubelet with Pod Security for a scripted cluster: admits debug containers and starts them."""

from __future__ import annotations

from typing import Any

from support.kube.engine_runtime import EngineRuntime
from support.kube.objects import Object
from support.kube.pod_status import container_status, running, settle
from support.kube.server import ScriptedCluster
from support.kube.wire import Answer, Request, status

TARGET = "targetContainerName"
BASELINE_CAPABILITIES = {"AUDIT_WRITE", "CHOWN", "KILL", "SETUID", "SETGID", "NET_BIND_SERVICE", "SYS_CHROOT"}


def violations(context: dict[str, Any], level: str) -> list[str]:
    """Return what a level of Pod Security finds wrong in a security context."""
    wrong = []
    capabilities = context.get("capabilities", {})
    if level in {"baseline", "restricted"}:
        if context.get("privileged"):
            wrong.append("privileged")
        if set(capabilities.get("add", [])) - BASELINE_CAPABILITIES:
            wrong.append("non-default capabilities")
    if level == "restricted":
        if context.get("allowPrivilegeEscalation") is not False:
            wrong.append("allowPrivilegeEscalation != false")
        if capabilities.get("drop") != ["ALL"]:
            wrong.append("unrestricted capabilities")
        if not context.get("runAsNonRoot") or context.get("runAsUser") == 0:
            wrong.append("runAsNonRoot != true")
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            wrong.append("seccompProfile")
    return wrong


class ScriptedKubelet:
    """Admits by a level of Pod Security, and starts what was admitted.

    Args:
        cluster: The cluster that it serves.
        level: `privileged`, `baseline` or `restricted`.
    """

    def __init__(self, cluster: ScriptedCluster, level: str = "privileged") -> None:
        self.level = level
        self.waiting: dict[str, str] = {}
        """The state of new containers instead of running: `reason` and `message`."""
        self.runtime: EngineRuntime | None = None
        """Where ephemeral containers of targets on an engine are started."""
        self._cluster = cluster
        cluster.admit = self._admit
        cluster.on_ephemeral = self._start
        cluster.on_created = self._start

    def _admit(self, request: Request, document: Object) -> Answer | None:
        spec = document.get("spec", {})
        for container in [*spec.get("containers", []), *spec.get("ephemeralContainers", [])]:
            if request.path.endswith("/ephemeralcontainers") and container in spec.get("containers", []):
                continue
            if wrong := violations(container.get("securityContext", {}), self.level):
                name = document["metadata"]["name"]
                text = f'pods "{name}" is forbidden: violates PodSecurity "{self.level}:latest": {", ".join(wrong)}'
                return status(403, "Forbidden", text)
        return None

    def assign(self, pod: str, container: str, engine_container: str) -> None:
        """Let a container of a pod be one of an engine's."""
        assert self.runtime is not None
        self.runtime.assign(pod, container, engine_container)

    async def _start(self, pod: Object) -> None:
        known = pod.setdefault("status", {})
        for field, statuses in (
            ("ephemeralContainers", "ephemeralContainerStatuses"),
            ("containers", "containerStatuses"),
        ):
            present = {entry["name"] for entry in known.get(statuses, [])}
            for container in pod["spec"].get(field, []):
                if container["name"] in present:
                    continue
                state: Object = {"waiting": self.waiting} if self.waiting else running()
                if self.runtime is not None and self.runtime.runs(pod["metadata"]["name"], container.get(TARGET, "")):
                    await self.runtime.start_ephemeral(pod["metadata"]["name"], container)
                known.setdefault(statuses, []).append(container_status(container, state))
        if known.get("phase", "Pending") == "Pending":
            settle(pod)
        await self._cluster.put("pods", pod)
