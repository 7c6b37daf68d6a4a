"""Issues of services: those without endpoints, and why."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.kube.model.pod import Pod
from pyd_core.kube.model.service import ClusterService
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.scan import Issue
from pyd_core.triage.verdict import Verdict

MAX_REASON_LENGTH = 300
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


def endpoint_issues(service: ClusterService, pods: Iterable[Pod], verdicts: Iterable[Verdict]) -> list[Issue]:
    """Return the endpoints of a service that aren't ready, each with the reason.

    Args:
        service: A service with some endpoints that are ready.
        pods: The pods that it selects.
        verdicts: The verdicts on their containers.
    """
    summaries = [(verdict.name, verdict.summary) for verdict in verdicts if verdict.severity != "fine"]
    name = f"service/{service.metadata.name}"
    issues = []
    for pod in pods:
        ready = pod.condition("Ready")
        if pod.status.phase in {"Succeeded", "Failed"} or (ready is not None and ready.status == "True"):
            continue
        own = [text for known, text in summaries if pod.metadata.name in known.split("/")]
        why = own[0] if own else ready.message if ready is not None and ready.message else "it has no condition Ready"
        text = f"{name} leaves out the endpoint {pod.metadata.name}: {why[:MAX_REASON_LENGTH]}"
        issues.append(Issue(level="soon", kind="endpoints-not-ready", subjects=(name,), text=text))
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
