"""The resources that a scripted API server has, as a real one of 1.36 names them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SCALE = {"scale": "Scale"}


@dataclass(frozen=True)
class Resource:
    """A resource.

    Attributes:
        name: Its plural, as in paths.
        group_version: `v1`, or a group with its version.
        namespaced: Whether its objects live in a namespace.
        subresources: Kinds of its subresources by name; those without a kind of their own have the resource's.
    """

    name: str
    group_version: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: dict[str, str] = field(default_factory=dict)
    verbs: tuple[str, ...] = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

    @property
    def group(self) -> str:
        """The group; empty for the core."""
        return self.group_version.rpartition("/")[0]

    @property
    def qualified(self) -> str:
        """The name as errors of the API server have it, such as `deployments.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name


def _table() -> list[Resource]:
    pods = dict.fromkeys(("ephemeralcontainers", "resize", "status"), "Pod")
    pods |= {"log": "Pod", "eviction": "Eviction", "binding": "Binding"}
    pods |= {"exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"}
    every = ("all",)
    cluster = False
    review = ("create",)
    rbac, auth = "rbac.authorization.k8s.io/v1", "authorization.k8s.io/v1"
    return [
        Resource("pods", "v1", "Pod", short_names=("po",), categories=every, subresources=pods),
        Resource("nodes", "v1", "Node", cluster, ("no",), subresources={"status": "Node"}),
        Resource("namespaces", "v1", "Namespace", cluster, ("ns",), subresources={"status": "Namespace"}),
        Resource("services", "v1", "Service", True, ("svc",), every, {"status": "Service"}),
        Resource("endpoints", "v1", "Endpoints", True, ("ep",)),
        Resource("events", "v1", "Event", True, ("ev",)),
        Resource("configmaps", "v1", "ConfigMap", True, ("cm",)),
        Resource("secrets", "v1", "Secret"),
        Resource("serviceaccounts", "v1", "ServiceAccount", True, ("sa",)),
        Resource("resourcequotas", "v1", "ResourceQuota", True, ("quota",)),
        Resource("limitranges", "v1", "LimitRange", True, ("limits",)),
        Resource("replicationcontrollers", "v1", "ReplicationController", True, ("rc",), every),
        Resource("persistentvolumes", "v1", "PersistentVolume", cluster, ("pv",)),
        Resource("persistentvolumeclaims", "v1", "PersistentVolumeClaim", True, ("pvc",)),
        Resource("deployments", "apps/v1", "Deployment", True, ("deploy",), every, {**SCALE, "status": "Deployment"}),
        Resource("replicasets", "apps/v1", "ReplicaSet", True, ("rs",), every, {**SCALE, "status": "ReplicaSet"}),
        Resource("statefulsets", "apps/v1", "StatefulSet", True, ("sts",), every, {**SCALE, "status": "StatefulSet"}),
        Resource("daemonsets", "apps/v1", "DaemonSet", True, ("ds",), every, {"status": "DaemonSet"}),
        Resource("controllerrevisions", "apps/v1", "ControllerRevision"),
        Resource("horizontalpodautoscalers", "autoscaling/v2", "HorizontalPodAutoscaler", True, ("hpa",), every),
        Resource("jobs", "batch/v1", "Job", True, (), every, {"status": "Job"}),
        Resource("cronjobs", "batch/v1", "CronJob", True, ("cj",), every, {"status": "CronJob"}),
        Resource("ingresses", "networking.k8s.io/v1", "Ingress", True, ("ing",), subresources={"status": "Ingress"}),
        Resource("ingressclasses", "networking.k8s.io/v1", "IngressClass", cluster),
        Resource("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", True, ("netpol",)),
        Resource("endpointslices", "discovery.k8s.io/v1", "EndpointSlice"),
        Resource("poddisruptionbudgets", "policy/v1", "PodDisruptionBudget", True, ("pdb",)),
        Resource("roles", rbac, "Role"),
        Resource("rolebindings", rbac, "RoleBinding"),
        Resource("clusterroles", rbac, "ClusterRole", cluster),
        Resource("clusterrolebindings", rbac, "ClusterRoleBinding", cluster),
        Resource("storageclasses", "storage.k8s.io/v1", "StorageClass", cluster, ("sc",)),
        Resource("priorityclasses", "scheduling.k8s.io/v1", "PriorityClass", cluster, ("pc",)),
        Resource("leases", "coordination.k8s.io/v1", "Lease"),
        Resource("selfsubjectreviews", "authentication.k8s.io/v1", "SelfSubjectReview", cluster, verbs=review),
        Resource("selfsubjectaccessreviews", auth, "SelfSubjectAccessReview", cluster, verbs=review),
        Resource("selfsubjectrulesreviews", auth, "SelfSubjectRulesReview", cluster, verbs=review),
    ]


RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _table()}

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?"
    r"/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)


@dataclass(frozen=True)
class Target:
    """The object or list to which a path leads."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    sub: str = ""


def target_of(path: str) -> Target | None:
    """Return the target of a path, or None where the server has none there."""
    # `status` and `finalize` of a namespace look like resources in it.
    if match := re.fullmatch(r"/api/v1/namespaces/([^/]+)/(status|finalize)", path):
        return Target(RESOURCES["namespaces"], "", match[1], match[2])
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    resource = RESOURCES.get(match["resource"])
    if resource is None or resource.group_version != (match["core"] or match["group"]):
        return None
    sub = match["sub"] or ""
    if sub and sub not in resource.subresources:
        return None
    return Target(resource, match["namespace"] or "", match["name"] or "", sub)
