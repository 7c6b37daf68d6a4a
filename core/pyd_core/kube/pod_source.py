"""The capability of providers whose containers belong to pods of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pyd_core.kube.cluster_api import ClusterApi
    from pyd_core.kube.pod_feed import PodFeed


@runtime_checkable
class PodSource(Protocol):
    """A provider that has a cluster's API: pods, workloads, services and nodes."""

    @property
    def cluster(self) -> ClusterApi:
        """The API of the cluster."""
        ...

    @property
    def feed(self) -> PodFeed:
        """The pods."""
        ...
