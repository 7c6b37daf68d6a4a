"""The columns of other resources' tables, and their cells, as the API server's printers fill them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from support.kube.ages import age, human, parse
from support.kube.pod_table import pod_cells
from support.kube.selectors import label_selector

Object = dict[str, Any]
Cells = Callable[[Object, datetime], list[Any]]

NONE = "<none>"


def _created(item: Object, now: datetime) -> str:
    return age(item["metadata"].get("creationTimestamp"), now)


def _template(spec: Object) -> list[str]:
    containers = spec.get("template", {}).get("spec", {}).get("containers") or []
    return [",".join(entry["name"] for entry in containers), ",".join(entry.get("image", "") for entry in containers)]


def _selector(spec: Object) -> str:
    return label_selector(spec.get("selector") or {}) or NONE


def _deployment(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [item["metadata"]["name"], ready, *counts, _created(item, now), *_template(spec), _selector(spec)]


def _replica_set(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    counts = [spec.get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [item["metadata"]["name"], *counts, _created(item, now), *_template(spec), _selector(spec)]


def _stateful_set(item: Object, now: datetime) -> list[Any]:
    spec = item.get("spec", {})
    ready = f"{item.get('status', {}).get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    return [item["metadata"]["name"], ready, _created(item, now), *_template(spec)]


def _daemon_set(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    counts = [status.get(field, 0) for field in (*fields, "numberAvailable")]
    chosen = spec.get("template", {}).get("spec", {}).get("nodeSelector") or {}
    nodes = ",".join(f"{name}={value}" for name, value in sorted(chosen.items())) or NONE
    return [item["metadata"]["name"], *counts, nodes, _created(item, now), *_template(spec), _selector(spec)]


def _job(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    true = {entry["type"] for entry in status.get("conditions") or [] if entry["status"] == "True"}
    state = next((name for name in ("Complete", "Failed", "Suspended") if name in true), "Running")
    if state == "Running" and item["metadata"].get("deletionTimestamp"):
        state = "Terminating"
    done = f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}"
    duration = ""
    if started := status.get("startTime"):
        ended = parse(status["completionTime"]) if status.get("completionTime") else now
        duration = human((ended - parse(started)).total_seconds())
    return [item["metadata"]["name"], state, done, duration, _created(item, now), *_template(spec), _selector(spec)]


def _cron_job(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    last = age(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else NONE
    job = spec.get("jobTemplate", {}).get("spec", {})
    return [
        item["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        "True" if spec.get("suspend") else "False",
        len(status.get("active") or []),
        last,
        _created(item, now),
        *_template(job),
        _selector(job),
    ]


def _service(item: Object, now: datetime) -> list[Any]:
    spec = item.get("spec", {})
    ports = ",".join(
        f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or []
    )
    chosen = ",".join(f"{name}={value}" for name, value in sorted((spec.get("selector") or {}).items()))
    return [
        item["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or NONE,
        ",".join(spec.get("externalIPs") or []) or spec.get("externalName") or NONE,
        ports or NONE,
        _created(item, now),
        chosen or NONE,
    ]


def _node(item: Object, now: datetime) -> list[Any]:
    status, spec = item.get("status", {}), item.get("spec", {})
    ready = next((entry["status"] for entry in status.get("conditions", []) if entry["type"] == "Ready"), "Unknown")
    state = {"True": "Ready"}.get(ready, "NotReady") + (",SchedulingDisabled" if spec.get("unschedulable") else "")
    prefix = "node-role.kubernetes.io/"
    roles = [label.removeprefix(prefix) for label in item["metadata"].get("labels") or {} if label.startswith(prefix)]
    addresses = {entry["type"]: entry["address"] for entry in status.get("addresses", [])}
    info = status.get("nodeInfo", {})
    kernel = f"{info.get('kernelVersion', '')} ({info.get('architecture', '')})"
    return [
        item["metadata"]["name"],
        state,
        ",".join(sorted(roles)) or NONE,
        _created(item, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage", ""),
        kernel,
        info.get("containerRuntimeVersion", ""),
    ]


def _event(item: Object, now: datetime) -> list[Any]:
    subject, source = item.get("involvedObject") or {}, item.get("source") or {}
    first = item.get("firstTimestamp") or item.get("eventTime")
    last = (item.get("series") or {}).get("lastObservedTime") or item.get("lastTimestamp") or first
    component = source.get("component") or item.get("reportingComponent", "")
    host = source.get("host") or item.get("reportingInstance", "")
    return [
        age(last, now),
        item.get("type", ""),
        item.get("reason", ""),
        f"{subject.get('kind', '').lower()}/{subject.get('name', '')}",
        subject.get("fieldPath", ""),
        ", ".join(filter(None, (component, host))),
        str(item.get("message", "")).strip(),
        age(first, now),
        (item.get("series") or {}).get("count") or item.get("count") or 1,
        item["metadata"]["name"],
    ]


def _namespace(item: Object, now: datetime) -> list[Any]:
    return [item["metadata"]["name"], item.get("status", {}).get("phase", "Active"), _created(item, now)]


def _data(item: Object, now: datetime) -> list[Any]:
    return [item["metadata"]["name"], len(item.get("data") or {}), _created(item, now)]


def _secret(item: Object, now: datetime) -> list[Any]:
    return [item["metadata"]["name"], item.get("type", "Opaque"), len(item.get("data") or {}), _created(item, now)]


def _claim(item: Object, now: datetime) -> list[Any]:
    spec, status = item.get("spec", {}), item.get("status", {})
    modes = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return [
        item["metadata"]["name"],
        status.get("phase", "Pending"),
        spec.get("volumeName", ""),
        status.get("capacity", {}).get("storage", ""),
        ",".join(modes.get(mode, mode) for mode in status.get("accessModes") or []),
        spec.get("storageClassName") or "",
        "<unset>",
        _created(item, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def _ingress(item: Object, now: datetime) -> list[Any]:
    spec = item.get("spec", {})
    hosts = ",".join(rule["host"] for rule in spec.get("rules") or [] if rule.get("host")) or "*"
    points = item.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    address = ",".join(entry.get("ip") or entry.get("hostname", "") for entry in points)
    ports = "80, 443" if spec.get("tls") else "80"
    return [item["metadata"]["name"], spec.get("ingressClassName") or NONE, hosts, address, ports, _created(item, now)]


def _budget(item: Object, now: datetime) -> list[Any]:
    spec = item.get("spec", {})
    least, most = spec.get("minAvailable", "N/A"), spec.get("maxUnavailable", "N/A")
    allowed = item.get("status", {}).get("disruptionsAllowed", 0)
    return [item["metadata"]["name"], least, most, allowed, _created(item, now)]


def other_cells(item: Object, now: datetime) -> list[Any]:
    """Return the cells of a resource without a printer of its own."""
    del now
    return [item["metadata"]["name"], item["metadata"].get("creationTimestamp") or "<unknown>"]


_WORKLOAD = "Age Containers+ Images+ Selector+"

COLUMNS: dict[str, tuple[str, Cells]] = {
    "pods": ("Name Ready Status Restarts Age IP+ Node+ Nominated_Node+ Readiness_Gates+", pod_cells),
    "deployments": (f"Name Ready Up-to-date Available {_WORKLOAD}", _deployment),
    "replicasets": (f"Name Desired# Current# Ready# {_WORKLOAD}", _replica_set),
    "statefulsets": ("Name Ready Age Containers+ Images+", _stateful_set),
    "daemonsets": (f"Name Desired# Current# Ready# Up-to-date# Available# Node_Selector {_WORKLOAD}", _daemon_set),
    "jobs": (f"Name Status Completions Duration {_WORKLOAD}", _job),
    "cronjobs": (f"Name Schedule Timezone Suspend? Active# Last_Schedule {_WORKLOAD}", _cron_job),
    "services": ("Name Type Cluster-IP External-IP Port(s) Age Selector+", _service),
    "nodes": (
        "Name Status Roles Age Version Internal-IP+ External-IP+ OS-Image+ Kernel-Version+ Container-Runtime+",
        _node,
    ),
    "events": (
        "Last_Seen Type Reason Object Subobject+ Source+ Message First_Seen+ Count+ Name+",
        _event,
    ),
    "namespaces": ("Name Status Age", _namespace),
    "configmaps": ("Name Data Age", _data),
    "secrets": ("Name Type Data# Age", _secret),
    "persistentvolumeclaims": (
        "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age VolumeMode+",
        _claim,
    ),
    "ingresses": ("Name Class Hosts Address Ports Age", _ingress),
    "poddisruptionbudgets": ("Name Min_Available Max_Unavailable Allowed_Disruptions# Age", _budget),
}
"""Columns and cells by resource. `+` marks those of `-o wide`, `#` integers and `?` booleans."""
