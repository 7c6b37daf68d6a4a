"""Deletion of objects, and what becomes of the objects that they own."""

from __future__ import annotations

from typing import Literal

from pyd_core.kube.cluster_api import ClusterApi

Propagation = Literal["Background", "Foreground", "Orphan"]
"""Owned objects go afterwards, go first, or stay (Kubernetes, `DeleteOptions`)."""


async def delete_object(api: ClusterApi, path: str, uid: str, *, propagation: Propagation = "Background") -> None:
    """Delete the object that was looked at, and not one that has its name by now.

    Raises:
        Conflict: Another object has the name.
        NotFound: It is gone.
    """
    body: dict[str, object] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
    if uid:
        body["preconditions"] = {"uid": uid}
    await api.send("DELETE", path, body=body)
