from __future__ import annotations

import pytest

from pyd_core.triage.pods.scheduler import predicates


def test_the_most_frequent_reason_comes_first():
    total, reasons = predicates(
        "0/7 nodes are available: 2 Insufficient cpu, 5 node(s) had untolerated taint {a.example/b: }. preemption: "
        "0/7 nodes are available: 7 Preemption is not helpful for scheduling."
    )
    assert total == 7
    assert [(reason.cause, reason.nodes) for reason in reasons] == [
        ("untolerated-taint", 5),
        ("insufficient-resources", 2),
    ]


def test_a_reason_about_no_node_comes_before_all():
    _, reasons = predicates('0/3 nodes are available: 3 Too many pods, persistentvolumeclaim "data" not found.')
    assert [reason.cause for reason in reasons] == ["volume-unbound", "insufficient-resources"]


def test_a_volume_s_node_affinity_is_not_the_pod_s():
    _, reasons = predicates("0/1 nodes are available: 1 node(s) had volume node affinity conflict.")
    assert reasons[0].cause == "volume-unbound"


@pytest.mark.parametrize("message", ["", "0/0", "no nodes available to schedule pods", "9" * 5000, "0/1 nodes"])
def test_other_messages_have_no_reasons(message: str):
    assert predicates(message) == (None, ())


def test_an_unknown_reason_is_kept_in_the_scheduler_s_words():
    _, reasons = predicates("0/4 nodes are available: 4 node(s) are on fire.")
    assert (reasons[0].cause, reasons[0].text) == ("unschedulable", "node(s) are on fire")
