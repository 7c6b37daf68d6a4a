"""A kubelet that runs pods as containers of an engine: sandbox, restarts, debug containers, deletion."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from pyd_core.tasks import TaskOwner
from support.kube.container_runtime import ContainerRuntime, EngineFailure
from support.kube.objects import Object
from support.kube.pod_status import container_status, running, settle
from support.kube.server import ScriptedCluster

RESTART_DELAY_S = 0.5
"""Seconds before a container runs again; a real kubelet waits 10 s, and longer each time."""


class EngineKubelet:
    """Runs the pods of a cluster on an engine.

    Args:
        cluster: The cluster; its runtime becomes the engine's.
        runtime: The engine.
        image: The image of sandboxes; it has `sleep`.
    """

    def __init__(self, cluster: ScriptedCluster, runtime: ContainerRuntime, image: str) -> None:
        self._cluster, self._runtime, self._image = cluster, runtime, image
        self._tasks = TaskOwner(lambda _: None)
        self._changing = asyncio.Lock()
        cluster.runtime = runtime
        cluster.on_created = self._created
        cluster.on_ephemeral = self._created
        cluster.on_deleted = self._deleted

    async def aclose(self) -> None:
        """Remove all containers."""
        await self._tasks.aclose()
        names = await self._runtime.docker("ps", "-aq", "--filter", "name=k8s_")
        if names:
            await self._runtime.docker("rm", "-f", "-v", *names.split())

    async def _created(self, pod: Object) -> None:
        self._tasks.start(self._sync(copy.deepcopy(pod)))

    async def _sync(self, pod: Object) -> None:
        """Start what of a pod doesn't run yet."""
        spec, known = pod["spec"], pod.get("status", {})
        if not known.get("containerStatuses"):
            if not await self._scheduled(pod):
                return
            options = ["--network", "none"] if spec.get("hostNetwork") else []
            hostname = spec.get("hostname") or pod["metadata"]["name"]
            name = self._runtime.sandbox(pod)
            shared = ["--hostname", hostname[:63], "--ipc", "shareable", *options]
            await self._runtime.docker("run", "-d", "--name", name, *shared, self._image, "sleep", "100000")
            address = await self._runtime.docker(
                "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
            )
            if not await self._run_init(pod):
                return
            for container in spec["containers"]:
                self._tasks.start(self._supervise(pod, container, "containerStatuses", address))
        started = {entry["name"] for entry in known.get("ephemeralContainerStatuses") or []}
        for container in spec.get("ephemeralContainers") or []:
            if container["name"] not in started:
                self._tasks.start(self._supervise(pod, container, "ephemeralContainerStatuses"))

    async def _scheduled(self, pod: Object) -> bool:
        """Wait for a node that takes pods, and return whether the pod is still there."""
        metadata, objects = pod["metadata"], self._cluster.objects
        while True:
            if objects.get("pods", metadata["namespace"], metadata["name"]) is None:
                return False
            if not any(node["spec"].get("unschedulable") for node in objects.select("nodes", "", lambda _: True)):
                return True
            async with objects.changed:
                await objects.changed.wait()

    async def _run_init(self, pod: Object) -> bool:
        """Run init containers in turn, and return whether all ended well."""
        for container in pod["spec"].get("initContainers") or []:
            state = await self._start(pod, container)
            await self._report(pod, "initContainerStatuses", container_status(container, state))
            if "running" in state:
                state = await self._ended(pod, container)
                done = not state["terminated"]["exitCode"]
                entry = container_status(container, state, ready=done, started=False)
                await self._report(pod, "initContainerStatuses", entry)
                if done:
                    continue
            return False
        return True

    async def _supervise(self, pod: Object, container: Object, field: str, address: str = "") -> None:
        """Run a container, and again as often as its pod's policy says."""
        policy = pod["spec"].get("restartPolicy", "Always") if field == "containerStatuses" else "Never"
        last: Object = {}
        restarts = 0
        while True:
            state = await self._start(pod, container, restarts)
            more: dict[str, Any] = {"lastState": last, "restartCount": restarts}
            await self._report(pod, field, container_status(container, state, **more), address)
            if "running" not in state:
                return
            state = await self._ended(pod, container, restarts)
            await self._report(pod, field, container_status(container, state, **more), address)
            code = state["terminated"]["exitCode"]
            if policy == "Never" or (policy == "OnFailure" and not code):
                return
            last, restarts = state, restarts + 1
            text = f"back-off 10s restarting failed container={container['name']} pod={pod['metadata']['name']}"
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
            more = {"lastState": last, "restartCount": restarts - 1}
            await self._report(pod, field, container_status(container, waiting, **more), address)
            await asyncio.sleep(RESTART_DELAY_S)

    async def _start(self, pod: Object, container: Object, attempt: int = 0) -> Object:
        """Start a container, and return its state."""
        name = self._runtime.run(pod, container["name"], attempt)
        try:
            await self._runtime.docker("run", "-d", "--name", name, *self._options(pod, container))
        except EngineFailure as failure:
            text = str(failure).splitlines()[0]
            reason = "RunContainerError" if "exec" in text or "OCI" in text else "ErrImagePull"
            return {"waiting": {"reason": reason, "message": text}}
        return running()

    def _options(self, pod: Object, container: Object) -> list[str]:
        sandbox = self._runtime.sandbox(pod)
        options = ["--network", f"container:{sandbox}", "--ipc", f"container:{sandbox}"]
        if target := container.get("targetContainerName"):
            options += ["--pid", f"container:{self._runtime.container(pod, target)}"]
        elif pod["spec"].get("shareProcessNamespace"):
            options += ["--pid", f"container:{sandbox}"]
        context = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
        if "runAsUser" in context:
            options += ["--user", f"{context['runAsUser']}:{context.get('runAsGroup', 0)}"]
        options += ["--privileged"] * bool(context.get("privileged"))
        for field, option in (("add", "--cap-add"), ("drop", "--cap-drop")):
            for capability in (context.get("capabilities") or {}).get(field) or []:
                options += [option, capability]
        for variable in container.get("env") or []:
            options += ["-e", f"{variable['name']}={variable.get('value', '')}"]
        options += ["-i"] * bool(container.get("stdin")) + ["-t"] * bool(container.get("tty"))
        if container.get("workingDir"):
            options += ["-w", container["workingDir"]]
        command, arguments = container.get("command") or [], container.get("args") or []
        if command:
            options += ["--entrypoint", command[0]]
        return [*options, "--pull", "never", container["image"], *command[1:], *arguments]

    async def _ended(self, pod: Object, container: Object, attempt: int = 0) -> Object:
        """Wait until a container has ended, and return its state."""
        name = self._runtime.run(pod, container["name"], attempt)
        await self._runtime.docker("wait", name)
        state = await self._runtime.state(name)
        code = int(state["ExitCode"])
        reason = "OOMKilled" if state.get("OOMKilled") else "Error" if code else "Completed"
        times = {"startedAt": state["StartedAt"][:19] + "Z", "finishedAt": state["FinishedAt"][:19] + "Z"}
        return {"terminated": {"exitCode": code, "reason": reason, **times}}

    async def _report(self, pod: Object, field: str, entry: Object, address: str = "") -> None:
        """Put a container's status into its pod, if the pod is still there."""
        metadata = pod["metadata"]
        async with self._changing:
            stored = self._cluster.objects.get("pods", metadata["namespace"], metadata["name"])
            if stored is None or stored["metadata"]["uid"] != metadata["uid"]:
                return
            stored = copy.deepcopy(stored)
            status = stored.setdefault("status", {})
            others = [known for known in status.get(field) or [] if known["name"] != entry["name"]]
            status[field] = sorted([*others, entry], key=lambda known: known["name"])
            settle(stored, **({"address": address} if address else {}))
            await self._cluster.put("pods", stored)

    async def _deleted(self, pod: Object) -> None:
        self._tasks.start(self._end(copy.deepcopy(pod)))

    async def _end(self, pod: Object) -> None:
        """Stop a pod's containers within its grace period, and remove it."""
        metadata = pod["metadata"]
        names = (await self._runtime.docker("ps", "-aq", "--filter", f"name=_{metadata['uid']}")).split()
        grace = metadata.get("deletionGracePeriodSeconds", 0)
        own = [name for name in names if name]
        if own and grace:
            await self._runtime.docker("stop", "-t", str(min(grace, 2)), *own)
        if own:
            await self._runtime.docker("rm", "-f", "-v", *own)
        stored = self._cluster.objects.get("pods", metadata["namespace"], metadata["name"])
        if stored is not None and stored["metadata"]["uid"] == metadata["uid"]:
            await self._cluster.remove("pods", metadata["namespace"], metadata["name"])
