"""Scan of what a workload, a service or a node stands for: the object itself, and its pods."""

from __future__ import annotations

from pyd_core.errors import NotFound, PydError
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.model.node import ClusterNode
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.model.service import ClusterService
from pyd_core.kube.model.workload import Workload
from pyd_core.kube.subject import ClusterSubject, subject_path
from pyd_core.kube.workloads import WorkloadEntry
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.evidence import Case, UnavailableSource
from pyd_core.triage.pods.choose import distinct
from pyd_core.triage.pods.node_issues import node_issues
from pyd_core.triage.pods.service_issues import endpoint_issues, service_issues
from pyd_core.triage.pods.workload_issues import workload_issues
from pyd_core.triage.scan import ORDER, SHARED_SOURCES, Issue, Sweep, issue_of
from pyd_core.triage.verdict import Verdict, decide


async def sweep_subject(engine: ClusterClient, subject: ClusterSubject) -> Sweep:
    """Examine an object of a cluster and its pods; the client then has only these pods in sight.

    Raises:
        NotFound: There is no such object.
        PydError: It, or its pods, can't be read.
    """
    known = await _SubjectObject.fetch(engine, subject)
    unread: dict[tuple[str, str], UnavailableSource] = {}
    cases: list[Case] = []
    verdicts: list[Verdict] = []
    if known.selects:
        await engine.narrow(subject.text)
        shared = await SharedEvidence.of(engine, all_events=True)
        async with engine.feed.subscribe():
            for summary in await engine.containers.list(all=True):
                try:
                    case = await gather(engine, summary.id, around=shared)
                except NotFound:
                    continue  # removed since the list
                if case.pod is None or case.pod.member.role == "ephemeral":
                    continue
                cases.append(case)
                verdicts.append(decide(case))
                unread |= {(gap.source, gap.reason): gap for gap in case.unread if gap.source in SHARED_SOURCES}
            pods = engine.feed.store.pods()
    else:
        pods = []
    kept = distinct(zip(cases, verdicts, strict=True))
    issues = [issue for verdict in kept if (issue := issue_of(verdict)) is not None]
    try:
        issues = await known.issues(engine, pods, kept) + issues
    except PydError as error:
        gap = UnavailableSource(source="pod events", reason=error.message, would_tell="why pods can't be created")
        unread[gap.source, gap.reason] = gap
    issues.sort(key=lambda issue: ORDER[issue.level])
    return Sweep(concerns=tuple(issues), containers=len(cases), unread=tuple(unread.values()))


class _SubjectObject:
    """The object that a subject names."""

    def __init__(self, value: WorkloadEntry | ClusterService | ClusterNode) -> None:
        self._value = value

    @classmethod
    async def fetch(cls, engine: ClusterClient, subject: ClusterSubject) -> _SubjectObject:
        """Fetch it."""
        path = subject_path(engine.cluster, subject)
        if subject.kind == "node":
            return cls(await engine.cluster.get(path, ClusterNode))
        if subject.kind == "service":
            return cls(await engine.cluster.get(path, ClusterService))
        return cls(WorkloadEntry(kind=subject.kind, workload=await engine.cluster.get(path, Workload)))

    @property
    def selects(self) -> bool:
        """Whether it selects pods; a service may have endpoints of its own instead."""
        return not isinstance(self._value, ClusterService) or bool(self._value.spec.selector)

    async def issues(self, engine: ClusterClient, pods: list[Pod], verdicts: list[Verdict]) -> list[Issue]:
        """Return its own issues."""
        value = self._value
        if isinstance(value, ClusterNode):
            return node_issues(value)
        if isinstance(value, ClusterService):
            return service_issues([value], pods) or endpoint_issues(value, pods, verdicts)
        from pyd_core.kube.cluster_api import object_path  # noqa: PLC0415 - only workloads need it

        path = object_path("events", namespace=value.workload.metadata.namespace)
        events, _ = await engine.cluster.list(path, ClusterEvent, {"fieldSelector": "reason=FailedCreate"})
        return workload_issues([value], events)
