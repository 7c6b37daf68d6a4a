"""Issues of services: those without endpoints, and why."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.kube.model.pod import Pod
from pyd_core.kube.model.service import ClusterService
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.scan import Issue

CAUSE = "service-without-endpoints"


def service_issues(services: Iterable[ClusterService], pods: Iterable[Pod]) -> list[Issue]:
    """Return an issue for each service that selects pods and has no endpoint.

    Args:
        services: The services.
        pods: All pods of their namespaces.
    """
    running: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.status.phase not in {"Succeeded", "Failed"}:
            running.setdefault(pod.metadata.namespace, []).append(pod)
    issues = []
    for service in services:
        why = _why(service, running.get(service.metadata.namespace, []))
        if why:
            name = f"service/{service.metadata.name}"
            text = f"{name} has no endpoints: {why}"
            advice = (CAUSES[CAUSE].remedy,)
            issues.append(Issue(level="broken", kind=CAUSE, subjects=(name,), text=text, advice=advice))
    return issues


def _why(service: ClusterService, pods: list[Pod]) -> str:
    """Return why a service has no endpoints; empty if it has some, or doesn't select pods."""
    selector = service.spec.selector
    if not selector or service.spec.type == "ExternalName":
        return ""
    chosen = [pod for pod in pods if selector.items() <= pod.metadata.labels.items()]
    if not chosen:
        labels = ", ".join(f"{name}={value}" for name, value in selector.items())
        return f"no running pod has the labels {labels}"
    for port in service.spec.ports:
        named = port.target_port
        if (
            isinstance(named, str)
            and named
            and not named.isdigit()
            and not any(_has_port(pod, named) for pod in chosen)
        ):
            return f"no container of its pods has a port with the name {named}"
    ready = [pod for pod in chosen if (condition := pod.condition("Ready")) is not None and condition.status == "True"]
    return "" if ready else f"none of its {len(chosen)} pods is ready"


def _has_port(pod: Pod, name: str) -> bool:
    sidecars = [container for container in pod.spec.init_containers if container.restart_policy == "Always"]
    return any(port.name == name for container in [*pod.spec.containers, *sidecars] for port in container.ports)
