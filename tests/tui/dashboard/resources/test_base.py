from __future__ import annotations

import pytest

from pyd_tui.dashboard.resources.base import singular

NAMES = {
    "claims": "claim",
    "ingresses": "ingress",
    "ingress": "ingress",
    "networkpolicies": "networkpolicy",
    "priorityclasses": "priorityclass",
    "endpoints": "endpoint",
    "leases": "lease",
    "images": "image",
    "services": "service",
    "ingresses.networking.k8s.io": "ingress.networking.k8s.io",
    "policies.example.com": "policy.example.com",
}


@pytest.mark.parametrize(("plural", "name"), NAMES.items())
def test_one_object_is_counted_in_the_singular(plural: str, name: str):
    assert singular(plural) == name
