"""The verbs of an API server on its objects: get, list, create, change and delete."""

from __future__ import annotations

import copy
import json
import uuid
from typing import TYPE_CHECKING, Any

from support.kube.ages import timestamp
from support.kube.apply import ApplyConflict, ServerSideApply
from support.kube.bodies import BodyRefused, decode
from support.kube.defaults import fill
from support.kube.objects import Object
from support.kube.patch import PatchRefused, json_patch, merge_patch, strategic_patch
from support.kube.published import unknown_fields
from support.kube.resources import Resource, Target
from support.kube.reviews import review
from support.kube.selectors import label_selector, selector
from support.kube.tables import table_of
from support.kube.wire import Answer, Request, status

if TYPE_CHECKING:
    from support.kube.server import ScriptedCluster


def typed(resource: Resource, document: Object) -> Object:
    """Return an object with its kind and version, as answers carry it."""
    return {"kind": resource.kind, "apiVersion": resource.group_version, **document}


def missing(resource: Resource, name: str) -> Answer:
    """Return the answer for an object that is not there."""
    details = {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.name}
    return status(404, "NotFound", f'{resource.qualified} "{name}" not found', details=details)


class Verbs:
    """The verbs on the objects of a cluster, except `watch`."""

    def __init__(self, cluster: ScriptedCluster) -> None:
        self._cluster = cluster
        self._objects = cluster.objects
        self._pages: dict[tuple[str, ...], bytes] = {}
        """Encoded pages of large lists, by path, parameters and version: a real server is faster than Python."""

    async def answer(self, request: Request, target: Target) -> Answer:  # noqa: PLR0911 - an answer for each verb
        """Answer a request about an object or a list."""
        try:
            body = decode(request)
        except BodyRefused as refusal:
            return refusal.answer
        if target.resource.verbs == ("create",):
            return review(target.resource, body, self._cluster.allowed)
        match request.method, bool(target.name):
            case "GET", False:
                return self._list(request, target)
            case "POST", False:
                return await self._create(request, target, body)
            case "DELETE", False:
                return await self._delete_all(request, target, body)
            case "POST", True if target.sub == "eviction":
                return await self._evict(target, body)
            case "GET" | "DELETE" | "PATCH" | "PUT", True:
                return await self._named(request, target, body)
        return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    async def _named(self, request: Request, target: Target, body: Any) -> Answer:
        stored = self._objects.get(target.resource.name, target.namespace, target.name)
        if stored is None:
            if request.method == "PATCH" and "apply-patch" in request.headers.get("content-type", ""):
                return await self._create_by_apply(request, target, body)
            return missing(target.resource, target.name)
        match request.method:
            case "GET":
                return self._get(request, target, stored)
            case "DELETE":
                return await self._delete(request, target, stored, body)
        return await self._change(request, target, stored, body)

    def _get(self, request: Request, target: Target, stored: Object) -> Answer:
        if target.sub == "scale":
            return Answer(200, scale_of(stored))
        if "as=Table" in request.headers.get("accept", ""):
            metadata = {"resourceVersion": stored["metadata"].get("resourceVersion", "")}
            include = request.text("includeObject", "Metadata")
            shown = [typed(target.resource, stored)]
            return Answer(200, table_of(target.resource.name, shown, metadata, include=include))
        return Answer(200, typed(target.resource, stored))

    def _list(self, request: Request, target: Target) -> Answer:
        resource = target.resource
        try:
            keep = selector(request.text("labelSelector"), request.text("fieldSelector"))
            version = int(request.text("resourceVersion", "0") or 0)
        except ValueError as error:
            return status(400, "BadRequest", str(error))
        if version > self._objects.version:
            text = f"Timeout: Too large resource version: {version}, current: {self._objects.version}"
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            answer = status(504, "Timeout", text, details={"causes": causes, "retryAfterSeconds": 1})
            answer.headers["Retry-After"] = "1"
            return answer
        plain = "as=Table" not in request.headers.get("accept", "")
        key = (request.path, *map(str, request.query.items()), str(self._objects.version))
        if plain and key in self._pages:
            return Answer(200, self._pages[key], {"Content-Type": "application/json"})
        items = self._objects.select(resource.name, target.namespace, keep)
        limit = min(int(request.text("limit", "0") or 0) or len(items), self._cluster.max_page)
        start = int(request.text("continue", "0") or 0)
        page = items[start : start + limit]
        metadata: Object = {"resourceVersion": str(self._objects.version)}
        if start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(items) - start - limit}
        if not plain:
            shown = [typed(resource, item) for item in page]
            include = request.text("includeObject", "Metadata")
            return Answer(200, table_of(resource.name, shown, metadata, include=include))
        kinds = {"kind": f"{resource.kind}List", "apiVersion": resource.group_version}
        answer = Answer(200, {**kinds, "metadata": metadata, "items": page})
        if "continue" in metadata or start:
            self._pages[key] = json.dumps(answer.body).encode() + b"\n"
        return answer

    async def _create(self, request: Request, target: Target, document: Object) -> Answer:
        resource, metadata = target.resource, document.setdefault("metadata", {})
        for field in ("kind", "apiVersion"):
            document.pop(field, None)
        if target.namespace:
            metadata["namespace"] = target.namespace
        if "name" not in metadata and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        if self._objects.get(resource.name, target.namespace, metadata["name"]) is not None:
            details = {"name": metadata["name"], "kind": resource.name}
            return status(
                409, "AlreadyExists", f'{resource.qualified} "{metadata["name"]}" already exists', details=details
            )
        refusal = unknown_fields(request, resource, document)
        fill(resource.name, document)
        if refusal is not None or (refusal := self._refusal(request, document)) is not None:
            return refusal
        metadata["creationTimestamp"] = metadata.get("creationTimestamp") or timestamp()
        metadata.setdefault("uid", str(uuid.uuid4()))
        if resource.name in {"pods", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs"}:
            metadata["generation"] = 1
        ServerSideApply(document).record_update(resource, request.text("fieldManager"), {})
        if not request.text("dryRun"):
            await self._cluster.put(resource.name, document)
        answer = Answer(201, copy.deepcopy(typed(resource, document)))
        if resource.name == "pods" and self._cluster.on_created is not None and not request.text("dryRun"):
            await self._cluster.on_created(document)
        return answer

    async def _create_by_apply(self, request: Request, target: Target, body: Object) -> Answer:
        document: Object = {"metadata": {"name": target.name}}
        manager = request.text("fieldManager")
        if not manager:
            return _no_manager()
        ServerSideApply(document).apply(target.resource, manager, body, force=True)
        return await self._create(request, target, document)

    def _refusal(self, request: Request, document: Object) -> Answer | None:
        return None if self._cluster.admit is None else self._cluster.admit(request, document)

    async def _delete_all(self, request: Request, target: Target, options: Any) -> Answer:
        keep = selector(request.text("labelSelector"), request.text("fieldSelector"))
        items = self._objects.select(target.resource.name, target.namespace, keep)
        for item in items:
            await self._delete(request, target, item, options)
        body = {"kind": f"{target.resource.kind}List", "apiVersion": target.resource.group_version}
        return Answer(200, {**body, "metadata": {"resourceVersion": str(self._objects.version)}, "items": items})

    async def _delete(self, request: Request, target: Target, stored: Object, options: Any) -> Answer:
        options = options if isinstance(options, dict) else {}
        metadata = stored["metadata"]
        preconditions = options.get("preconditions") or {}
        if preconditions.get("uid", metadata["uid"]) != metadata["uid"]:
            return status(409, "Conflict", "the UID in the precondition does not match")
        resource, namespace, name = target.resource, metadata.get("namespace", ""), metadata["name"]
        if request.text("dryRun") or options.get("dryRun"):
            return Answer(200, typed(resource, stored))
        grace = options.get("gracePeriodSeconds", int(request.text("gracePeriodSeconds", "-1")))
        if metadata.get("finalizers") or (
            resource.name == "pods" and self._cluster.on_deleted is not None and grace != 0
        ):
            seconds = grace if grace >= 0 else int(stored["spec"].get("terminationGracePeriodSeconds", 30))
            metadata.setdefault("deletionTimestamp", timestamp())
            metadata["deletionGracePeriodSeconds"] = seconds
            await self._cluster.put(resource.name, stored)
            answer = Answer(200, copy.deepcopy(typed(resource, stored)))
            if self._cluster.on_deleted is not None:
                await self._cluster.on_deleted(stored)
            return answer
        await self._cluster.remove(resource.name, namespace, name)
        if resource.name == "pods" and self._cluster.on_deleted is not None:
            await self._cluster.on_deleted(stored)
        if resource.name == "pods":
            return Answer(200, typed(resource, stored))
        details = {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.name}
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return Answer(200, {**success, "details": {**details, "uid": metadata["uid"]}})

    async def _evict(self, target: Target, body: Object) -> Answer:
        pod = self._objects.get("pods", target.namespace, target.name)
        if pod is None:
            return missing(target.resource, target.name)
        labels = pod["metadata"].get("labels") or {}
        for budget in self._objects.select("poddisruptionbudgets", target.namespace, lambda _: True):
            chosen = budget["spec"].get("selector", {}).get("matchLabels") or {}
            if chosen.items() <= labels.items() and not budget.get("status", {}).get("disruptionsAllowed", 0):
                known = budget.get("status", {})
                text = (
                    f"The disruption budget {budget['metadata']['name']} needs {known.get('desiredHealthy', 1)} "
                    f"healthy pods and has {known.get('currentHealthy', 1)} currently"
                )
                causes = [{"reason": "DisruptionBudget", "message": text}]
                refusal = "Cannot evict pod as it would violate the pod's disruption budget."
                return status(429, "TooManyRequests", refusal, details={"causes": causes})
        pod_target = Target(target.resource, target.namespace, target.name)
        options = body.get("deleteOptions") or {}
        await self._delete(Request("DELETE", "", {}, {}), pod_target, pod, options)
        return Answer(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    async def _change(self, request: Request, target: Target, stored: Object, body: Any) -> Answer:  # noqa: PLR0911 - as above
        resource, sub = target.resource, target.sub
        if sub == "scale":
            return await self._scale(request, target, stored, body)
        try:
            document, created = self._changed(request, resource, stored, body)
        except ApplyConflict as conflict:
            return conflict.answer
        except PatchRefused as error:
            return status(422, "Invalid", str(error))
        document["metadata"]["resourceVersion"] = document["metadata"].get("resourceVersion", "")
        if sub == "status":
            document = {**copy.deepcopy(stored), "status": document.get("status", {})}
        expected = document["metadata"].get("resourceVersion")
        if expected not in {"", None, stored["metadata"].get("resourceVersion")}:
            text = (
                f'Operation cannot be fulfilled on {resource.qualified} "{target.name}": the object has been modified; '
                "please apply your changes to the latest version and try again"
            )
            details = {"name": target.name, "group": resource.group, "kind": resource.name}
            return status(409, "Conflict", text, details={key: text for key, text in details.items() if text})
        refusal = unknown_fields(request, resource, document)
        if refusal is not None or (refusal := self._refusal(request, document)) is not None:
            return refusal
        if not created:
            ServerSideApply(document).record_update(resource, request.text("fieldManager"), stored)
        if document == stored or request.text("dryRun"):
            return Answer(200, typed(resource, document))
        if "generation" in stored["metadata"] and document.get("spec") != stored.get("spec"):
            document["metadata"]["generation"] = int(stored["metadata"]["generation"]) + 1
        document["metadata"]["uid"] = stored["metadata"]["uid"]
        await self._cluster.put(resource.name, document)
        answer = Answer(200, copy.deepcopy(typed(resource, document)))
        if sub == "ephemeralcontainers" and self._cluster.on_ephemeral is not None:
            await self._cluster.on_ephemeral(document)
        if document["metadata"].get("deletionTimestamp") and not document["metadata"].get("finalizers"):
            await self._cluster.remove(resource.name, target.namespace, target.name)
        return answer

    def _changed(self, request: Request, resource: Resource, stored: Object, body: Any) -> tuple[Object, bool]:
        """Return the object after a change, and whether its managed fields are those of an apply."""
        document = copy.deepcopy(stored)
        kind = request.headers.get("content-type", "")
        if request.method == "PUT":
            replaced: Object = {key: value for key, value in body.items() if key not in {"kind", "apiVersion"}}
            replaced["metadata"].setdefault("creationTimestamp", stored["metadata"].get("creationTimestamp"))
            return replaced, False
        if "apply-patch" in kind:
            manager = request.text("fieldManager")
            if not manager:
                raise ApplyConflict(_no_manager())
            ServerSideApply(document).apply(resource, manager, body, force=request.flag("force"))
            return document, True
        if isinstance(body, list):
            json_patch(document, body)
        elif "strategic" in kind:
            strategic_patch(document, body)
        else:
            merge_patch(document, body)
        for field in ("kind", "apiVersion"):
            document.pop(field, None)
        return document, False

    async def _scale(self, request: Request, target: Target, stored: Object, body: Any) -> Answer:
        document = copy.deepcopy(stored)
        scale = scale_of(stored)
        if request.method == "PUT":
            scale = body
        else:
            merge_patch(scale, body)
        document["spec"]["replicas"] = scale["spec"]["replicas"]
        if "generation" in document["metadata"] and document != stored:
            document["metadata"]["generation"] = int(document["metadata"]["generation"]) + 1
        if not request.text("dryRun"):
            await self._cluster.put(target.resource.name, document)
        return Answer(200, scale_of(document))


def scale_of(stored: Object) -> Object:
    """Return the scale of a workload."""
    fields = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {field: stored["metadata"][field] for field in fields if field in stored["metadata"]}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": stored.get("spec", {}).get("replicas", 1)},
        "status": {
            "replicas": stored.get("status", {}).get("replicas", 0),
            "selector": label_selector(stored.get("spec", {}).get("selector") or {}),
        },
    }


def _no_manager() -> Answer:
    text = "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"
    return status(422, "Invalid", text)
