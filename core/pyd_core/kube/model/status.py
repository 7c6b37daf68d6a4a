"""Errors as the Kubernetes API answers them."""

from __future__ import annotations

from pyd_core.kube.model.meta import ClusterStruct, ListMeta


class StatusCause(ClusterStruct):
    """Detail of an error."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(ClusterStruct):
    """Object that an error is about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: list[StatusCause] = []
    retry_after_seconds: int = 0


class ApiStatus(ClusterStruct):
    """Body of an error, and of an ERROR event of a watch (`meta/v1`, Status)."""

    status: str = ""
    message: str = ""
    reason: str = ""
    """`NotFound`, `Forbidden`, `Expired`, `Conflict` …"""
    code: int = 0
    details: StatusDetails = StatusDetails()
    metadata: ListMeta = ListMeta()
