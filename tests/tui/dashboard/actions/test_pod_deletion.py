from __future__ import annotations

from typing import Any

import pytest

from pyd_core.kube.container_view import NAMESPACE_LABEL, POD_LABEL, UID_LABEL
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.actions.pod_deletion import pod_question
from pyd_tui.dashboard.engines.target import RowTarget


class Link:
    """A connection to a cluster with two pods; one of them has two containers."""

    def __init__(self) -> None:
        pods = {"web/app": "web", "web/proxy": "web", "job": "job"}
        self.containers = {
            key: ContainerInfo(
                id=key, name=key, labels={POD_LABEL: pod, NAMESPACE_LABEL: "shop\x1b[2J", UID_LABEL: f"uid-{pod}"}
            )
            for key, pod in pods.items()
        }


@pytest.mark.parametrize(
    ("marked", "question"),
    [
        (["job"], "Delete pod job in shop"),
        (["web/app"], "Delete pod web in shop"),
        (["web/app", "web/proxy"], "Delete pod web in shop"),
        (["web/app", "job"], "Delete 2 pods?"),
    ],
)
def test_the_question_names_the_pod_and_says_that_all_of_its_containers_go(marked: list[str], question: str):
    link: Any = Link()
    text = pod_question({RowTarget(link, key): link.containers[key] for key in marked})
    assert text.startswith(question)
    assert ("containers go." in text) == (marked != ["job"])
    assert "\x1b" not in text
