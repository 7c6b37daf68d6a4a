"""The controllers of a scripted cluster: deployments make replica sets, and replica sets make pods."""

from __future__ import annotations

import copy
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Self

from pyd_core.tasks import TaskOwner
from support.kube.ages import timestamp
from support.kube.defaults import fill
from support.kube.objects import Object

if TYPE_CHECKING:
    from support.kube.server import ScriptedCluster

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names, as apimachinery's `rand.String` has them."""


class Controllers:
    """Bring deployments and replica sets to what their specifications say.

    Args:
        cluster: The cluster with the objects.
    """

    def __init__(self, cluster: ScriptedCluster) -> None:
        self._cluster = cluster
        self._objects = cluster.objects
        self._tasks = TaskOwner(lambda _: None)
        self._seen: set[str] = set()
        """UIDs of owners that there were; recorded pods have owners that were never here."""

    async def __aenter__(self) -> Self:
        self._tasks.start(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.aclose()

    async def _run(self) -> None:
        while True:
            version = self._objects.version
            await self.reconcile()
            async with self._objects.changed:
                if self._objects.version == version:
                    await self._objects.changed.wait()

    async def reconcile(self) -> None:
        """Bring each object one step further."""
        await self._collect_garbage()
        for deployment in self._objects.select("deployments", "", lambda _: True):
            await self._deployment(deployment)
        for replica_set in self._objects.select("replicasets", "", lambda _: True):
            await self._replica_set(replica_set)

    async def _collect_garbage(self) -> None:
        """Remove objects whose owner is gone."""
        kinds = {"Deployment": "deployments", "ReplicaSet": "replicasets"}
        self._seen |= self._uids("deployments") | self._uids("replicasets")
        for resource in ("replicasets", "pods"):
            for item in self._objects.select(resource, "", lambda _: True):
                metadata = item["metadata"]
                for owner in metadata.get("ownerReferences") or []:
                    known = kinds.get(owner["kind"])
                    if known is None or metadata.get("deletionTimestamp") or owner["uid"] not in self._seen:
                        continue
                    if owner["uid"] not in self._uids(known):
                        await self._delete(resource, item)

    def _uids(self, resource: str) -> set[str]:
        return {item["metadata"]["uid"] for item in self._objects.select(resource, "", lambda _: True)}

    async def _delete(self, resource: str, item: Object) -> None:
        metadata = item["metadata"]
        if resource == "pods" and self._cluster.on_deleted is not None:
            metadata["deletionTimestamp"] = timestamp()
            metadata["deletionGracePeriodSeconds"] = item["spec"].get("terminationGracePeriodSeconds", 30)
            await self._cluster.put(resource, item)
            await self._cluster.on_deleted(item)
            return
        await self._cluster.remove(resource, metadata["namespace"], metadata["name"])

    def _owned(self, resource: str, owner: Object) -> list[Object]:
        uid = owner["metadata"]["uid"]

        def is_owned(item: Object) -> bool:
            return any(reference["uid"] == uid for reference in item["metadata"].get("ownerReferences") or [])

        return self._objects.select(resource, owner["metadata"]["namespace"], is_owned)

    async def _deployment(self, deployment: Object) -> None:
        spec = deployment["spec"]
        if "selector" not in spec or deployment["metadata"].get("deletionTimestamp"):
            return
        sets = self._owned("replicasets", deployment)
        key = template_hash(spec["template"])
        current = next((item for item in sets if item["metadata"]["labels"].get(HASH) == key), None)
        newest = max((int(item["metadata"]["annotations"][REVISION]) for item in sets), default=0)
        if current is None:
            current = self._new_set(deployment, key, newest + 1)
            await self._cluster.put("replicasets", current)
        elif int(current["metadata"]["annotations"][REVISION]) < newest:
            current["metadata"]["annotations"][REVISION] = str(newest + 1)
            await self._cluster.put("replicasets", current)
        replicas = int(spec.get("replicas", 1))
        await self._scale(current, replicas)
        # Old pods go once as many new ones are ready: a rollout that is stuck keeps them.
        if current.get("status", {}).get("readyReplicas", 0) >= replicas:
            for old in sets:
                if old is not current:
                    await self._scale(old, 0)
        await self._deployment_status(deployment, current, [*sets, *([] if current in sets else [current])])

    async def _scale(self, replica_set: Object, replicas: int) -> None:
        if replica_set["spec"]["replicas"] != replicas:
            replica_set["spec"]["replicas"] = replicas
            replica_set["metadata"]["generation"] = int(replica_set["metadata"].get("generation", 1)) + 1
            await self._cluster.put("replicasets", replica_set)

    def _new_set(self, deployment: Object, key: str, revision: int) -> Object:
        metadata = deployment["metadata"]
        template = copy.deepcopy(deployment["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = key
        selector = copy.deepcopy(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH] = key
        return {
            "metadata": {
                "name": f"{metadata['name']}-{key}",
                "namespace": metadata["namespace"],
                "uid": str(uuid.uuid4()),
                "creationTimestamp": timestamp(),
                "generation": 1,
                "labels": dict(template["metadata"]["labels"]),
                "annotations": {REVISION: str(revision)},
                "ownerReferences": [_owner("apps/v1", "Deployment", deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0},
        }

    async def _deployment_status(self, deployment: Object, current: Object, sets: list[Object]) -> None:
        def total(field: str) -> int:
            return sum(int(item.get("status", {}).get(field, 0)) for item in sets)

        replicas = int(deployment["spec"].get("replicas", 1))
        known = current.get("status", {})
        updated, ready = int(known.get("replicas", 0)), int(known.get("readyReplicas", 0))
        complete = updated == ready == replicas == total("replicas")
        since = deployment["metadata"].get("creationTimestamp") or timestamp()
        progress = "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated"
        verb = "has successfully progressed." if complete else "is progressing."
        text = f'ReplicaSet "{current["metadata"]["name"]}" {verb}'
        available = total("readyReplicas") >= replicas
        reason = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
        words = "has" if available else "does not have"
        status: Object = {
            "observedGeneration": int(deployment["metadata"].get("generation", 1)),
            "replicas": total("replicas"),
            "updatedReplicas": updated,
            "readyReplicas": total("readyReplicas"),
            "availableReplicas": total("readyReplicas"),
            "unavailableReplicas": max(0, replicas - total("readyReplicas")),
            "conditions": [
                _condition("Available", available, reason, f"Deployment {words} minimum availability.", since),
                _condition("Progressing", True, progress, text, since),
            ],
        }
        status = {key: value for key, value in status.items() if value != 0}
        revision = current["metadata"]["annotations"][REVISION]
        annotations = deployment["metadata"].setdefault("annotations", {})
        if deployment.get("status") != status or annotations.get(REVISION) != revision:
            deployment["status"] = status
            annotations[REVISION] = revision
            await self._cluster.put("deployments", deployment)

    async def _replica_set(self, replica_set: Object) -> None:
        metadata, spec = replica_set["metadata"], replica_set["spec"]
        owned = [pod for pod in self._owned("pods", replica_set) if not pod["metadata"].get("deletionTimestamp")]
        alive = [pod for pod in owned if pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}]
        replicas = int(spec.get("replicas", 1))
        for _ in range(replicas - len(alive)):
            await self._create_pod(replica_set)
        for pod in sorted(alive, key=is_ready)[: max(0, len(alive) - replicas)]:
            await self._delete("pods", pod)
        ready = sum(is_ready(pod) for pod in alive)
        status: Object = {
            "replicas": len(alive),
            "fullyLabeledReplicas": len(alive),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "observedGeneration": int(metadata.get("generation", 1)),
        }
        status = {key: value for key, value in status.items() if value or key == "replicas"}
        if replica_set.get("status") != status and self._objects.get(
            "replicasets", metadata["namespace"], metadata["name"]
        ):
            replica_set["status"] = status
            await self._cluster.put("replicasets", replica_set)

    async def _create_pod(self, replica_set: Object) -> None:
        metadata, template = replica_set["metadata"], copy.deepcopy(replica_set["spec"]["template"])
        pod: Object = {
            "metadata": {
                **template.get("metadata", {}),
                "name": f"{metadata['name']}-{_suffix()}",
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "uid": str(uuid.uuid4()),
                "creationTimestamp": timestamp(),
                "ownerReferences": [_owner("apps/v1", "ReplicaSet", replica_set)],
            },
            "spec": template["spec"],
        }
        fill("pods", pod)
        await self._cluster.put("pods", pod)
        if self._cluster.on_created is not None:
            await self._cluster.on_created(pod)


def template_hash(template: Object) -> str:
    """Return the name of a template's replica set after its deployment."""
    digest = hashlib.sha256(json.dumps(_without_nulls(template), sort_keys=True).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:10])


def _without_nulls(value: Any) -> Any:
    """Return a value without the fields that clients write as null, such as `creationTimestamp`."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _suffix() -> str:
    number = uuid.uuid4().int
    return "".join(ALPHABET[(number >> 8 * index & 0xFF) % len(ALPHABET)] for index in range(5))


def is_ready(pod: Object) -> bool:
    """Return whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _owner(version: str, kind: str, owner: Object) -> Object:
    metadata = owner["metadata"]
    known: dict[str, Any] = {"apiVersion": version, "kind": kind, "name": metadata["name"], "uid": metadata["uid"]}
    return {**known, "controller": True, "blockOwnerDeletion": True}


def _condition(kind: str, holds: bool, reason: str, message: str, since: str) -> Object:
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": message,
        "lastUpdateTime": since,
        "lastTransitionTime": since,
    }
