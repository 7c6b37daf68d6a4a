"""Thousands of pods out of the recorded ones, as a large cluster lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from support.kube.objects import Object
from support.kube.records import state, state_names

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names; a cluster leaves vowels out."""
REPLICAS = 40
MANAGED: list[Object] = [
    {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-11-30T23:28:49Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            f"f:{part}": {
                f'k:{{"name":"{part}{number}"}}': {".": {}, "f:name": {}, "f:image": {}} for number in range(8)
            }
            for part in ("spec", "status")
        },
    }
    for manager in ("kube-controller-manager", "kubelet")
]
"""Bookkeeping as a cluster attaches it, which the records leave out."""


def suffix(number: int, length: int) -> str:
    """Return a generated part of a name, the same for the same number."""
    mixed = (number + 1) * 2654435761 % 2**32
    return "".join(LETTERS[mixed // len(LETTERS) ** index % len(LETTERS)] for index in range(length))


def crowd(count: int, *, namespace: str = "", healthy: bool = False) -> Iterator[Object]:
    """Yield pods, whose states are those of the recorded ones in turn.

    Args:
        count: The number of pods.
        namespace: Puts all into one; empty spreads them over 20.
        healthy: Yield only pods that run and are ready.
    """
    names = [name for name in state_names() if not healthy or name in {"running", "guaranteed", "sidecar", "sts-0"}]
    for number in range(count):
        workload, replica = divmod(number, REPLICAS)
        record = names[number % len(names)]
        yield _pod(record, workload, replica, namespace or f"team-{workload % 20}")


def _pod(record: str, workload: int, replica: int, namespace: str) -> Object:
    number = workload * REPLICAS + replica
    template = suffix(workload, 9)
    name = f"{record}-{workload:03}-{template}-{suffix(number, 5)}"
    text = json.dumps(state(record)["pod"])
    for volume in _tokens(text):  # each pod's volume of its service account's token has a name of its own
        text = text.replace(volume, f"kube-api-access-{suffix(number + 7, 5)}")
    pod: dict[str, Any] = json.loads(text)
    identity = f"{number:08x}-0000-4000-8000-{number:012x}"
    pod["metadata"] |= {"name": name, "namespace": namespace, "uid": identity, "managedFields": MANAGED}
    pod["metadata"]["labels"] = {"app": f"{record}-{workload:03}", "pod-template-hash": template}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{record}-{workload:03}-{template}"}
    pod["metadata"]["ownerReferences"] = [owner | {"uid": f"rs-{workload}", "controller": True}]
    seconds, minutes = number % 60, number // 60 % 60
    for condition in pod["status"].get("conditions", []):
        condition["lastTransitionTime"] = f"2026-11-30T23:{minutes:02}:{seconds:02}Z"
    if "podIP" in pod["status"]:
        pod["status"]["podIP"] = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return pod


def _tokens(text: str) -> set[str]:
    return {"kube-api-access-" + part[:5] for part in text.split("kube-api-access-")[1:]}
