"""The status of a pod, from the states of its containers."""

from __future__ import annotations

from typing import Any

from support.kube.ages import timestamp
from support.kube.objects import Object

NODE = "kube-node"
"""The only node of a scripted cluster."""


def node(name: str = NODE) -> Object:
    """Return a node that is ready."""
    since = timestamp()
    kinds = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    reasons = {"Ready": ("KubeletReady", "kubelet is posting ready status")}
    conditions = []
    for kind, value in kinds.items():
        reason, message = reasons.get(kind, (f"KubeletHasNo{kind}", f"kubelet has no {kind}"))
        times = {"lastHeartbeatTime": since, "lastTransitionTime": since}
        conditions.append({"type": kind, "status": value, "reason": reason, "message": message, **times})
    info = {
        "architecture": "amd64",
        "bootID": "b",
        "containerRuntimeVersion": "pydd://1",
        "kernelVersion": "6.12",
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.36.2",
        "machineID": "m",
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 13 (trixie)",
        "systemUUID": "u",
    }
    size = {"cpu": "2", "memory": "8Gi", "pods": "110"}
    return {
        "metadata": {"name": name, "creationTimestamp": since, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ],
            "allocatable": size,
            "capacity": size,
            "conditions": conditions,
            "nodeInfo": info,
        },
    }


def container_status(container: Object, state: Object, **more: Any) -> Object:
    """Return the status of a container in a state."""
    running = "running" in state
    entry: Object = {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "state": state,
        "lastState": {},
        "ready": running,
        "started": running,
        "restartCount": 0,
    }
    return {**entry, **more}


def running(since: str = "") -> Object:
    """Return the state of a container that runs."""
    return {"running": {"startedAt": since or timestamp()}}


def settle(pod: Object, *, address: str = "10.244.0.2") -> None:
    """Derive phase and conditions from the states of a pod's containers, in place."""
    status, spec = pod["status"], pod["spec"]
    spec.setdefault("nodeName", NODE)
    states = [entry["state"] for entry in status.get("containerStatuses") or []]
    ended = [state["terminated"] for state in states if "terminated" in state]
    if states and len(ended) == len(spec["containers"]) and spec.get("restartPolicy") != "Always":
        status["phase"] = "Failed" if any(state["exitCode"] for state in ended) else "Succeeded"
    elif _began(status, states):
        status["phase"] = "Running"
    else:
        status["phase"] = "Pending"
    statuses = status.get("containerStatuses") or []
    ready = len(statuses) == len(spec["containers"]) and all(entry.get("ready") for entry in statuses)
    initialised = not spec.get("initContainers") or bool(states)
    facts = {"Initialized": initialised, "Ready": ready, "ContainersReady": ready, "PodScheduled": True}
    before = {entry["type"]: entry for entry in status.get("conditions") or []}
    conditions = []
    for kind, holds in facts.items():
        value = "True" if holds else "False"
        known = before.get(kind, {})
        since = known["lastTransitionTime"] if known.get("status") == value else timestamp()
        conditions.append({"type": kind, "status": value, "lastTransitionTime": since})
    status["conditions"] = conditions
    status.setdefault("startTime", timestamp())
    status.setdefault("hostIP", "127.0.0.1")
    if status["phase"] != "Pending":
        status.setdefault("podIP", address)
        status.setdefault("podIPs", [{"ip": address}])


def _began(status: Object, states: list[Object]) -> bool:
    """Return whether a container of a pod runs, or has run."""
    restarted = any(entry.get("restartCount") for entry in status.get("containerStatuses") or [])
    return restarted or any("running" in state or "terminated" in state for state in states)
