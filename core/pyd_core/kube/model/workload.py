"""Workloads: what creates pods."""

from __future__ import annotations

from pyd_core.kube.model.meta import ClusterStruct, Condition, ObjectMeta
from pyd_core.kube.model.pod import PodContainer


class LabelExpression(ClusterStruct):
    """Condition on a label."""

    key: str = ""
    operator: str = ""
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: list[str] = []


class LabelSelector(ClusterStruct):
    """Selection of pods by labels; all of its conditions must hold."""

    match_labels: dict[str, str] = {}
    match_expressions: list[LabelExpression] = []


class PodTemplateSpec(ClusterStruct):
    """Containers of a template."""

    containers: list[PodContainer] = []


class PodTemplate(ClusterStruct):
    """Template of a workload's pods."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodTemplateSpec = PodTemplateSpec()


class WorkloadSpec(ClusterStruct):
    """Specification of any workload."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()
    paused: bool = False
    suspend: bool = False
    schedule: str = ""
    completions: int | None = None


class WorkloadStatus(ClusterStruct):
    """Status of any workload; each kind sets a part of the fields."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    desired_number_scheduled: int | None = None
    number_ready: int = 0
    updated_number_scheduled: int = 0
    active: object = None
    """Of a job the number of running pods, of a cron job a list of jobs."""
    succeeded: int = 0
    failed: int = 0
    last_schedule_time: str | None = None
    conditions: list[Condition] = []


class Workload(ClusterStruct):
    """Deployment, replica set, stateful set, daemon set, job or cron job."""

    metadata: ObjectMeta = ObjectMeta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()
