from __future__ import annotations

import pytest

from pyd_core.errors import InvalidInput
from pyd_core.kube.model.workload import LabelExpression, LabelSelector
from pyd_core.kube.subject import ClusterSubject, is_cluster_subject, parse_subject, selector_text


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
    assert parse_subject(text) == subject


@pytest.mark.parametrize("text", ["pod/", "pod/a/b/c", "pod//x"])
def test_malformed_targets_are_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_subject(text)


def test_an_image_with_a_registry_is_no_subject_of_a_cluster():
    assert not is_cluster_subject("registry/nginx")
    assert is_cluster_subject("pod/nginx")


def test_a_selector_with_expressions_is_written_as_the_server_parses_it():
    selector = LabelSelector(
        match_labels={"app": "web"},
        match_expressions=[
            LabelExpression(key="tier", operator="In", values=["a", "b"]),
            LabelExpression(key="canary", operator="DoesNotExist"),
        ],
    )
    assert selector_text(selector) == "app=web,tier in (a,b),!canary"
    with pytest.raises(InvalidInput):
        selector_text(LabelSelector(match_expressions=[LabelExpression(key="a", operator="Gt")]))
