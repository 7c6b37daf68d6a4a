"""The cells of a pod's table row, as the API server's printer fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.kube.ages import age

Object = dict[str, Any]


def pod_cells(pod: Object, now: datetime) -> list[Any]:
    """Return a pod's cells: name, ready, status, restarts, age, IP, node, nominated node, readiness gates."""
    ready, total = _readiness(pod)
    status = pod.get("status", {})
    spec = pod.get("spec", {})
    gates = spec.get("readinessGates") or []
    return [
        pod["metadata"].get("name", ""),
        f"{ready}/{total}",
        _status(pod),
        _restarts(pod, now),
        age(pod["metadata"].get("creationTimestamp"), now),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{_gates(pod, gates)}/{len(gates)}" if gates else "<none>",
    ]


def _gates(pod: Object, gates: list[Object]) -> int:
    true = {entry["type"] for entry in pod["status"].get("conditions", []) if entry["status"] == "True"}
    return sum(gate["conditionType"] in true for gate in gates)


def _sidecars(pod: Object) -> set[str]:
    return {
        entry["name"]
        for entry in pod.get("spec", {}).get("initContainers") or []
        if entry.get("restartPolicy") == "Always"
    }


def _readiness(pod: Object) -> tuple[int, int]:
    sidecars = _sidecars(pod)
    status = pod.get("status", {})
    total = len(pod.get("spec", {}).get("containers") or []) + len(sidecars)
    ready = sum(
        bool(entry.get("ready") and "running" in entry.get("state", {}))
        for entry in status.get("containerStatuses") or []
    )
    ready += sum(
        bool(entry["name"] in sidecars and entry.get("started") and entry.get("ready"))
        for entry in status.get("initContainerStatuses") or []
    )
    return ready, total


def _ended(state: Object, prefix: str = "") -> str:
    ended = state["terminated"]
    if ended.get("reason"):
        return prefix + str(ended["reason"])
    return (
        f"{prefix}Signal:{ended['signal']}" if ended.get("signal") else f"{prefix}ExitCode:{ended.get('exitCode', 0)}"
    )


def _status(pod: Object) -> str:  # noqa: C901 - the printer of the API server has as many cases
    status = pod.get("status", {})
    reason = str(status.get("reason") or status.get("phase") or "")
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initialising = _initialising(pod)
    if initialising:
        reason = initialising
    has_running = False
    if not initialising or _is_initialised(pod):
        for entry in reversed(status.get("containerStatuses") or []):
            state = entry.get("state", {})
            if state.get("waiting", {}).get("reason"):
                reason = state["waiting"]["reason"]
            elif "terminated" in state:
                reason = _ended(state)
            elif entry.get("ready") and "running" in state:
                has_running = True
        if reason == "Completed" and has_running:
            conditions = status.get("conditions") or []
            ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
            reason = "Running" if ready else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in {"Succeeded", "Failed"}:
            return "Terminating"
    return reason


def _is_initialised(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(entry["type"] == "Initialized" and entry["status"] == "True" for entry in conditions)


def _initialising(pod: Object) -> str:
    spec, sidecars = pod.get("spec", {}), _sidecars(pod)
    for index, entry in enumerate(pod.get("status", {}).get("initContainerStatuses") or []):
        state = entry.get("state", {})
        if "terminated" in state and state["terminated"].get("exitCode", 0) == 0:
            continue
        if entry["name"] in sidecars and entry.get("started"):
            continue
        if "terminated" in state:
            return _ended(state, "Init:")
        waiting = state.get("waiting", {}).get("reason", "")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{len(spec.get('initContainers') or [])}"
    return ""


def _restarts(pod: Object, now: datetime) -> str:
    status, sidecars = pod.get("status", {}), _sidecars(pod)
    main = status.get("containerStatuses") or []
    init = status.get("initContainerStatuses") or []
    own = [entry for entry in init if entry["name"] in sidecars]
    counted = init if _initialising(pod) and not _is_initialised(pod) else [*main, *own]
    count = sum(int(entry.get("restartCount", 0)) for entry in counted)
    times = [
        entry["lastState"]["terminated"]["finishedAt"]
        for entry in counted
        if entry.get("lastState", {}).get("terminated", {}).get("finishedAt")
    ]
    return f"{count} ({age(max(times), now)} ago)" if count and times else str(count)
