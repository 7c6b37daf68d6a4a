"""The question before containers of a cluster are removed, which deletes their pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pyd_core.kube.container_view import NAMESPACE_LABEL, POD_LABEL, UID_LABEL
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.engines.target import RowTarget


def pod_question(entries: Mapping[RowTarget, ContainerInfo]) -> str:
    """Return a question that names the pod, or counts the pods, and says whether other containers go with them."""
    pods = {entry.labels.get(UID_LABEL, entry.id): entry for entry in entries.values()}
    known = {(target.link, entry.id): entry for target in entries for entry in target.link.containers.values()}
    sizes = Counter(entry.labels.get(UID_LABEL, entry.id) for entry in known.values())
    shared = any(sizes[uid] > 1 for uid in pods)
    if len(pods) > 1:
        return f"Delete {len(pods)} pods?{' All of their containers go.' if shared else ''}"
    entry = next(iter(pods.values()))
    name, namespace = entry.labels.get(POD_LABEL, entry.name), entry.labels.get(NAMESPACE_LABEL, "")
    where = f" in {safe(namespace)}" if namespace else ""
    return f"Delete pod {safe(name)}{where}?{' All of its containers go.' if shared else ''}"
