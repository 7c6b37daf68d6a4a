"""Issues of workloads: stuck rollouts, and pods that can't be created."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.workloads import WorkloadEntry
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.scan import Issue

MAX_TEXT_LENGTH = 300

_REFUSALS: tuple[tuple[str, str], ...] = (
    ("quota-exceeded", r"exceeded quota"),
    ("service-account-missing", r"serviceaccount \"[^\"]+\" not found|error looking up service account"),
    ("pod-security-refused", r"violates PodSecurity"),
    ("pods-refused", r""),
)
"""Causes by the API server's answer to the controller; the last matches all."""

_CREATORS = {"ReplicaSet": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Job": "job"}


def workload_issues(entries: Iterable[WorkloadEntry], events: Iterable[ClusterEvent]) -> list[Issue]:
    """Return an issue for each workload whose pods can't be created, or whose rollout is stuck.

    Args:
        entries: The workloads.
        events: The cluster's events, of which the refusals to create pods are used.
    """
    refused = [event for event in events if event.reason == "FailedCreate"]
    issues = (_refused(entry, refused) or _stuck(entry) for entry in entries)
    return [issue for issue in issues if issue is not None]


def _refused(entry: WorkloadEntry, events: list[ClusterEvent]) -> Issue | None:
    """Return the refusal to create pods of a workload that lacks some."""
    status, spec = entry.workload.status, entry.workload.spec
    created = status.desired_number_scheduled if entry.kind == "daemonset" else status.replicas
    if entry.kind == "job":
        created = status.succeeded + (status.active if isinstance(status.active, int) else 0)
    if entry.kind == "cronjob" or spec.paused or spec.suspend:
        return None
    failure = next(
        (
            condition
            for condition in status.conditions
            if (condition.type, condition.status) == ("ReplicaFailure", "True")
        ),
        None,
    )
    message = failure.message if failure is not None else ""
    if not message and (created or 0) < entry.desired:
        own = [event for event in events if _is_about(event, entry)]
        message = max(own, key=lambda event: event.time_ns).message if own else ""
    if not message:
        return None
    cause = next(cause for cause, pattern in _REFUSALS if re.search(pattern, message))
    return _issue(entry, cause, f"can't get its pods: {message}")


def _is_about(event: ClusterEvent, entry: WorkloadEntry) -> bool:
    about, metadata = event.involved_object, entry.workload.metadata
    if _CREATORS.get(about.kind) != entry.kind or about.namespace != metadata.namespace:
        return False
    # A deployment's replica set has its name with a hash behind it, which has no hyphen.
    name = about.name.rpartition("-")[0] if about.kind == "ReplicaSet" else about.name
    return name == metadata.name


def _stuck(entry: WorkloadEntry) -> Issue | None:
    """Return that the controller itself has given up a rollout, or a job."""
    for condition in entry.workload.status.conditions:
        if condition.type == "Progressing" and condition.status == "False":
            return _issue(entry, "rollout-stuck", f"is stuck in its rollout: {condition.message}")
        if condition.type == "Failed" and condition.status == "True":
            return _issue(entry, "job-failed", f"has failed, {condition.reason}: {condition.message}")
    return None


def _issue(entry: WorkloadEntry, cause: str, text: str) -> Issue:
    return Issue(
        level="broken",
        kind=cause,
        subjects=(entry.name,),
        text=f"{entry.name} {text[:MAX_TEXT_LENGTH]}",
        advice=(CAUSES[cause].remedy,),
    )
