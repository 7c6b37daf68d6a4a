"""Workloads of a cluster: their rollouts, and what changes them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from pyd_core.errors import Conflict, InvalidInput, Refused, Unsupported
from pyd_core.kube.cluster_api import STRATEGIC_PATCH, ClusterApi, object_path
from pyd_core.kube.model.workload import Workload

WORKLOAD_KINDS: dict[str, tuple[str, str]] = {
    "deployment": ("apps/v1", "deployments"),
    "statefulset": ("apps/v1", "statefulsets"),
    "daemonset": ("apps/v1", "daemonsets"),
    "job": ("batch/v1", "jobs"),
    "cronjob": ("batch/v1", "cronjobs"),
}
"""Kinds with their group and resource, in the order of lists; replica sets belong to deployments."""
SCALABLE = frozenset({"deployment", "statefulset"})
RESTARTABLE = frozenset({"deployment", "statefulset", "daemonset"})
MAX_REPLICAS = 100_000
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a template by which kubectl, too, restarts a workload's pods."""
REVISION_HASH = "pod-template-hash"


class WorkloadEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A workload, with what lists show."""

    kind: str
    workload: Workload

    @property
    def name(self) -> str:
        """The kind and the name."""
        return f"{self.kind}/{self.workload.metadata.name}"

    @property
    def desired(self) -> int:
        """The number of pods that there should be."""
        spec, status = self.workload.spec, self.workload.status
        if self.kind == "daemonset":
            return status.desired_number_scheduled or 0
        if self.kind == "job":
            return spec.completions if spec.completions is not None else 1
        if self.kind == "cronjob":
            return 0
        return 1 if spec.replicas is None else spec.replicas

    @property
    def ready(self) -> int:
        """The number of pods that are ready, or of a job that succeeded."""
        status = self.workload.status
        if self.kind == "daemonset":
            return status.number_ready
        return status.succeeded if self.kind == "job" else status.ready_replicas

    @property
    def path(self) -> str:
        """The path of its object."""
        group, resource = WORKLOAD_KINDS[self.kind]
        metadata = self.workload.metadata
        return object_path(resource, group=group, namespace=metadata.namespace, name=metadata.name)


def rollout_of(entry: WorkloadEntry) -> tuple[str, bool]:
    """Return the state of a workload's rollout in words, and whether it is well."""
    spec, status = entry.workload.spec, entry.workload.status
    conditions = {condition.type: condition for condition in status.conditions}
    if entry.kind in {"job", "cronjob"}:
        return _job_state(entry, conditions)
    progressing = conditions.get("Progressing")
    state: tuple[str, bool]
    if spec.paused:
        state = "paused", True
    elif status.observed_generation < entry.workload.metadata.generation:
        state = "not seen by its controller yet", True
    elif progressing is not None and progressing.status == "False":
        state = f"stuck: {progressing.reason}", False
    elif (failure := conditions.get("ReplicaFailure")) is not None and failure.status == "True":
        state = f"no pods: {failure.reason}", False
    elif (updated := _updated(entry)) < entry.desired:
        state = f"rolling out, {updated} of {entry.desired} updated", True
    elif entry.ready < entry.desired:
        state = f"{entry.desired - entry.ready} of {entry.desired} not ready", False
    elif entry.kind == "deployment" and status.replicas > status.updated_replicas:
        state = f"ending {status.replicas - status.updated_replicas} old pods", True
    else:
        state = ("scaled to 0" if entry.desired == 0 else "complete"), True
    return state


def _job_state(entry: WorkloadEntry, conditions: dict[str, Any]) -> tuple[str, bool]:
    status = entry.workload.status
    if entry.workload.spec.suspend:
        return "suspended", True
    if entry.kind == "cronjob":
        running = len(status.active) if isinstance(status.active, list) else 0
        return f"{entry.workload.spec.schedule}" + (f", {running} running" if running else ""), True
    failed = conditions.get("Failed")
    if failed is not None and failed.status == "True":
        return f"failed: {failed.reason}", False
    complete = conditions.get("Complete")
    if complete is not None and complete.status == "True":
        return "complete", True
    return (f"running, {status.failed} failed" if status.failed else "running"), not status.failed


def _updated(entry: WorkloadEntry) -> int:
    status = entry.workload.status
    return status.updated_number_scheduled if entry.kind == "daemonset" else status.updated_replicas


async def list_workloads(api: ClusterApi) -> list[WorkloadEntry]:
    """Return all workloads in sight; kinds that the user may not list are left out.

    Raises:
        Refused: The user may list none of them.
    """
    refusals: list[Refused] = []

    async def of_kind(kind: str) -> list[WorkloadEntry]:
        group, resource = WORKLOAD_KINDS[kind]
        path = object_path(resource, group=group, namespace=api.access.scope)
        try:
            workloads, _ = await api.list(path, Workload)
        except Refused as error:
            refusals.append(error)
            return []
        return [WorkloadEntry(kind=kind, workload=workload) for workload in workloads]

    lists = await asyncio.gather(*map(of_kind, WORKLOAD_KINDS))
    if len(refusals) == len(WORKLOAD_KINDS):
        raise refusals[0]
    return [entry for entries in lists for entry in entries]


async def scale(api: ClusterApi, entry: WorkloadEntry, replicas: int) -> None:
    """Set the number of a workload's pods.

    Raises:
        InvalidInput: The number is out of range.
        Unsupported: The kind has no number of pods.
    """
    if not 0 <= replicas <= MAX_REPLICAS:
        raise InvalidInput(f"not a number of pods: {replicas}")
    if entry.kind not in SCALABLE:
        raise Unsupported(f"a {entry.kind} can't be scaled")
    await api.patch(f"{entry.path}/scale", {"spec": {"replicas": replicas}})


async def restart(api: ClusterApi, entry: WorkloadEntry) -> None:
    """Replace a workload's pods one after another.

    Raises:
        Unsupported: The kind can't.
    """
    if entry.kind not in RESTARTABLE:
        raise Unsupported(f"a {entry.kind} can't be restarted")
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    template = {"metadata": {"annotations": {RESTARTED_AT: stamp}}}
    await api.patch(entry.path, {"spec": {"template": template}}, content_type=STRATEGIC_PATCH)


async def suspend(api: ClusterApi, entry: WorkloadEntry, *, suspended: bool) -> None:
    """Suspend or resume a job or cron job; of a deployment, pause or resume its rollout.

    Raises:
        Unsupported: The kind can't.
    """
    if entry.kind in {"job", "cronjob"}:
        await api.patch(entry.path, {"spec": {"suspend": suspended}})
    elif entry.kind == "deployment":
        await api.patch(entry.path, {"spec": {"paused": suspended}})
    else:
        raise Unsupported(f"a {entry.kind} can't be suspended")


async def roll_back(api: ClusterApi, entry: WorkloadEntry) -> str:
    """Return a deployment to its previous revision, and return the revision's number.

    Raises:
        Unsupported: It isn't a deployment.
        Conflict: It has no previous revision, or its rollout is paused.
    """
    if entry.kind != "deployment":
        raise Unsupported(f"a {entry.kind} can't be rolled back")
    metadata = entry.workload.metadata
    if entry.workload.spec.paused:
        raise Conflict(f"{metadata.name} is paused", hint="resume its rollout first")
    path = object_path("replicasets", group="apps/v1", namespace=metadata.namespace)
    sets, _ = await api.list(path, Workload)
    own = [owned for owned in sets if (owner := owned.metadata.owner) is not None and owner.uid == metadata.uid]
    numbered = [(int(text), owned) for owned in own if (text := _revision(owned)).isdecimal()]
    revisions = sorted(numbered, key=lambda pair: pair[0])
    if len(revisions) < 2:
        raise Conflict(f"{metadata.name} has no previous revision", reference="no-previous-revision")
    number, previous = revisions[-2]
    document = msgspec.json.decode((await api.send("GET", f"{path}/{previous.metadata.name}")).body)
    template = document["spec"]["template"]
    template.get("metadata", {}).get("labels", {}).pop(REVISION_HASH, None)
    # A merge would keep what the newer template has in addition, so the whole template is replaced.
    await api.send(
        "PATCH",
        entry.path,
        body=[
            {"op": "test", "path": "/metadata/uid", "value": metadata.uid},
            {"op": "replace", "path": "/spec/template", "value": template},
        ],
        content_type="application/json-patch+json",
    )
    return str(number)


def _revision(owned: Workload) -> str:
    return owned.metadata.annotations.revision
