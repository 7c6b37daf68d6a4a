"""Subjects of verbs in a cluster, such as `deploy/web`, and the pods that they stand for."""

from __future__ import annotations

import msgspec

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.kube.cluster_api import ClusterApi, Query, object_path
from pyd_core.kube.model.workload import LabelSelector, Workload
from pyd_core.model.base import decode
from pyd_core.sanitise import safe

KINDS = {
    "pod": "pod",
    "po": "pod",
    "pods": "pod",
    "deploy": "deployment",
    "deployment": "deployment",
    "deployments": "deployment",
    "sts": "statefulset",
    "statefulset": "statefulset",
    "statefulsets": "statefulset",
    "ds": "daemonset",
    "daemonset": "daemonset",
    "daemonsets": "daemonset",
    "rs": "replicaset",
    "replicaset": "replicaset",
    "replicasets": "replicaset",
    "job": "job",
    "jobs": "job",
    "svc": "service",
    "service": "service",
    "services": "service",
    "node": "node",
    "no": "node",
    "nodes": "node",
}
"""Kinds before the slash of a subject, with kubectl's short names."""

RESOURCES = {
    "pod": ("v1", "pods"),
    "deployment": ("apps/v1", "deployments"),
    "statefulset": ("apps/v1", "statefulsets"),
    "daemonset": ("apps/v1", "daemonsets"),
    "replicaset": ("apps/v1", "replicasets"),
    "job": ("batch/v1", "jobs"),
    "service": ("v1", "services"),
    "node": ("v1", "nodes"),
}
"""Group and resource of each kind."""

_SET_OPERATORS = {"In": "in", "NotIn": "notin"}


class ClusterSubject(msgspec.Struct, frozen=True):
    """A subject, taken apart."""

    kind: str
    """`pod`, `node`, `service`, a workload's kind, or empty for a container by its name or id."""
    name: str
    container: str = ""

    @property
    def text(self) -> str:
        """The kind and the name."""
        return f"{self.kind}/{self.name}" if self.kind else self.name


def is_cluster_subject(text: str) -> bool:
    """Return whether a text names an object of a cluster by its kind."""
    kind, slash, _ = text.partition("/")
    return bool(slash) and kind.lower() in KINDS


def parse_subject(text: str) -> ClusterSubject:
    """Take a subject apart.

    Raises:
        InvalidInput: It has too many parts, or an empty one.
    """
    kind, slash, rest = text.partition("/")
    if not slash or kind.lower() not in KINDS:
        return ClusterSubject("", text)
    name, _, container = rest.partition("/")
    if not name or "/" in container:
        raise InvalidInput(
            f"not a target: {safe(text)!r}", hint="write pod/NAME, pod/NAME/CONTAINER, deploy/NAME or node/NAME"
        )
    return ClusterSubject(KINDS[kind.lower()], name, container)


async def pods_query(api: ClusterApi, subject: ClusterSubject) -> Query:
    """Return the query that lists a subject's pods.

    Raises:
        NotFound: There is no such object, or it selects no pods.
        InvalidInput: Its namespace isn't known.
    """
    if subject.kind == "node":
        await api.send("GET", subject_path(api, subject))  # a node that doesn't exist would only have no pods
        return {"fieldSelector": f"spec.nodeName={subject.name}"}
    if subject.kind in {"", "pod"}:
        return {"fieldSelector": f"metadata.name={subject.name}"}
    answer = (await api.send("GET", subject_path(api, subject))).body
    selector = _selector_of(subject, answer)
    if not selector:
        raise NotFound(
            f"{subject.kind} {safe(subject.name)} selects no pods", hint="see its selector", reference="no-selector"
        )
    return {"labelSelector": selector}


def subject_path(api: ClusterApi, subject: ClusterSubject) -> str:
    """Return the path of a subject's object.

    Raises:
        InvalidInput: It lives in a namespace, and none is chosen.
    """
    group, resource = RESOURCES[subject.kind or "pod"]
    namespace = "" if subject.kind == "node" else api.access.scope
    if not namespace and subject.kind != "node":
        raise InvalidInput(f"{subject.text} needs a namespace", hint="write -H kube://CONTEXT/NAMESPACE")
    return object_path(resource, group=group, namespace=namespace, name=subject.name)


def _selector_of(subject: ClusterSubject, answer: bytes) -> str:
    if subject.kind == "service":
        return equality(decode(answer, _Service, what="service").spec.selector)
    selector = decode(answer, Workload, what=subject.kind).spec.selector
    return "" if selector is None else selector_text(selector)


def selector_text(selector: LabelSelector) -> str:
    """Return a selector as the API server parses it in `labelSelector`."""
    terms = [equality(selector.match_labels)] if selector.match_labels else []
    for expression in selector.match_expressions:
        if operator := _SET_OPERATORS.get(expression.operator):
            terms.append(f"{expression.key} {operator} ({','.join(expression.values)})")
        elif expression.operator in {"Exists", "DoesNotExist"}:
            terms.append(f"{'!' if expression.operator == 'DoesNotExist' else ''}{expression.key}")
        else:
            raise InvalidInput(f"unknown operator of a selector: {safe(expression.operator)}")
    return ",".join(terms)


def equality(labels: dict[str, str]) -> str:
    """Return labels as a selector."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


class _ServiceSpec(msgspec.Struct):
    selector: dict[str, str] = {}


class _Service(msgspec.Struct):
    spec: _ServiceSpec = msgspec.field(default_factory=_ServiceSpec)
