from __future__ import annotations

import pytest

from pyd_core.debug.pod.options import ClusterSubject, PodDebugOptions, is_cluster_target, parse_target
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("pod/web", ClusterSubject("pod", "web")),
        ("po/web/app", ClusterSubject("pod", "web", "app")),
        ("deploy/api", ClusterSubject("deployment", "api")),
        ("node/a.b", ClusterSubject("node", "a.b")),
        ("web", ClusterSubject("", "web")),
        ("web/app", ClusterSubject("", "web/app")),
    ],
)
def test_targets(text: str, subject: ClusterSubject):
    assert parse_target(text) == subject


@pytest.mark.parametrize("text", ["pod/", "pod/a/b/c", "pod//x"])
def test_malformed_targets_are_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_target(text)


def test_an_image_with_a_registry_is_no_cluster_target():
    assert not is_cluster_target("registry/nginx")
    assert is_cluster_target("pod/nginx")


def test_contradictions_are_refused():
    with pytest.raises(InvalidInput):
        PodDebugOptions(target="pod/x", line="a", command=("b",))
