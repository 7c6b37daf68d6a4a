"""Fields that the API server fills in new objects."""

from __future__ import annotations

import hashlib

from support.kube.objects import Object


def fill(resource: str, document: Object) -> None:
    """Fill the defaults of a new object, in place."""
    spec = document.get("spec")
    if resource == "pods" and spec is not None:
        _pod(spec)
        document.setdefault("status", {"phase": "Pending", "qosClass": "BestEffort"})
    elif resource in {"deployments", "replicasets", "statefulsets", "daemonsets"} and spec is not None:
        _workload(resource, document, spec)
    elif resource == "services" and spec is not None:
        number = hashlib.sha256(document["metadata"]["name"].encode()).digest()
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("clusterIP", f"10.96.{number[0]}.{number[1] or 1}")
        spec.setdefault("sessionAffinity", "None")
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])
        document.setdefault("status", {"loadBalancer": {}})
    elif resource == "namespaces":
        document.setdefault("spec", {"finalizers": ["kubernetes"]})
        document.setdefault("status", {"phase": "Active"})


def _pod(spec: Object) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("serviceAccountName", "default")
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        tagged = ":" in container["image"].rpartition("/")[2] and not container["image"].endswith(":latest")
        container.setdefault("imagePullPolicy", "IfNotPresent" if tagged else "Always")


def _workload(resource: str, document: Object, spec: Object) -> None:
    if resource != "daemonsets":
        spec.setdefault("replicas", 1)
    if "spec" in spec.get("template", {}):
        _pod(spec["template"]["spec"])
        spec["template"].setdefault("metadata", {})
    if resource == "deployments":
        rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
        spec.setdefault("strategy", {"type": "RollingUpdate", "rollingUpdate": rolling})
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
    document.setdefault("status", {"replicas": 0} if resource == "replicasets" else {})
