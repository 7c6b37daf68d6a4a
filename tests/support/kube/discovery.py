"""Discovery: which groups, versions and resources an API server has."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from support.kube.resources import RESOURCES, Resource
from support.kube.wire import Answer, Request

Document = dict[str, Any]

METRICS = [
    Resource("nodes", "metrics.k8s.io/v1beta1", "NodeMetrics", False, verbs=("get", "list")),
    Resource("pods", "metrics.k8s.io/v1beta1", "PodMetrics", True, verbs=("get", "list")),
]
AGGREGATED_SINCE, AGGREGATED_V2_SINCE = 26, 30
"""Minor versions since which discovery comes aggregated, and since which its format is `v2`."""


def discover(request: Request, *, minor: int, metrics: bool) -> Answer | None:
    """Return the answer to a request of discovery, or None for another."""
    resources = [*RESOURCES.values(), *(METRICS if metrics else [])]
    accept = request.headers.get("accept", "")
    if request.path in {"/api", "/apis"}:
        core = request.path == "/api"
        chosen = [resource for resource in resources if bool(resource.group) != core]
        for version, since in (("v2", AGGREGATED_V2_SINCE), ("v2beta1", AGGREGATED_SINCE)):
            if minor >= since and f"v={version};as=APIGroupDiscoveryList" in accept:
                return _aggregated(request, chosen, version)
        return Answer(200, _versions() if core else _groups(chosen))
    prefix = request.path.removeprefix("/api/").removeprefix("/apis/")
    listed = [resource for resource in resources if resource.group_version == prefix]
    if listed:
        return Answer(200, _resource_list(prefix, listed))
    group = [resource for resource in resources if resource.group and resource.group == prefix]
    return Answer(200, {**_groups(group)["groups"][0], "kind": "APIGroup", "apiVersion": "v1"}) if group else None


def _versions() -> Document:
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def _groups(resources: list[Resource]) -> Document:
    groups = []
    for group_version in dict.fromkeys(resource.group_version for resource in resources):
        group, _, version = group_version.partition("/")
        known = {"groupVersion": group_version, "version": version}
        groups.append({"name": group, "versions": [known], "preferredVersion": known})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _resource_list(group_version: str, resources: list[Resource]) -> Document:
    listed = []
    for resource in resources:
        entry: Document = {
            "name": resource.name,
            "singularName": resource.kind.lower(),
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        listed.append(entry)
        for sub, kind in resource.subresources.items():
            listed.append(
                {
                    "name": f"{resource.name}/{sub}",
                    "singularName": "",
                    "namespaced": resource.namespaced,
                    "kind": kind,
                    "verbs": _sub_verbs(sub),
                    **_foreign(kind),
                }
            )
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _foreign(kind: str) -> Document:
    """Return the group of a subresource's kind where it is not that of its resource."""
    foreign = {"Scale": ("autoscaling", "v1"), "Eviction": ("policy", "v1")}
    group, version = foreign.get(kind, ("", ""))
    return {"group": group, "version": version} if group else {}


def _sub_verbs(sub: str) -> list[str]:
    match sub:
        case "exec" | "attach" | "portforward":
            return ["create", "get"]
        case "log":
            return ["get"]
        case "eviction" | "binding":
            return ["create"]
    return ["get", "patch", "update"]


def _aggregated(request: Request, resources: list[Resource], version: str) -> Answer:
    groups: list[Document] = []
    for group_version in dict.fromkeys(resource.group_version for resource in resources):
        group, _, own = group_version.rpartition("/")
        entries = [_entry(resource) for resource in resources if resource.group_version == group_version]
        versions = [{"version": own, "resources": entries, "freshness": "Current"}]
        groups.append({"metadata": {"name": group} if group else {}, "versions": versions})
    body = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": groups,
    }
    etag = f'"{hashlib.sha512(json.dumps(body).encode()).hexdigest().upper()}"'
    if request.headers.get("if-none-match") == etag:
        return Answer(304, b"", {"ETag": etag, "Vary": "Accept"})
    kind = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    return Answer(200, body, {"Content-Type": kind, "ETag": etag, "Vary": "Accept"})


def _entry(resource: Resource) -> Document:
    group, _, version = resource.group_version.rpartition("/")
    entry: Document = {
        "resource": resource.name,
        "responseKind": {"group": group, "version": version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.kind.lower(),
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": sub,
                "responseKind": {"group": group, "version": version, "kind": kind, **_foreign(kind)},
                "verbs": _sub_verbs(sub),
            }
            for sub, kind in resource.subresources.items()
        ]
    return entry
