from __future__ import annotations

import pytest

from pyd_core.errors import InvalidInput
from pyd_core.kube.address import parse_address


@pytest.mark.parametrize(
    ("url", "context", "namespace"),
    [
        ("kube://", "", ""),
        ("kube://prod", "prod", ""),
        ("kube://prod/web", "prod", "web"),
        ("kube:///web", "", "web"),
        ("kube://prod/*", "prod", "*"),
        ("kube://a%2Fb/web", "a/b", "web"),
    ],
)
def test_both_parts_may_be_missing(url: str, context: str, namespace: str):
    address = parse_address(url)
    assert (address.context, address.namespace) == (context, namespace)


@pytest.mark.parametrize("url", ["kube://a/B", "kube://a/" + "n" * 64, "kube://a/x\x1b[2J", "http://a"])
def test_what_no_namespace_can_be_named_is_refused(url: str):
    with pytest.raises(InvalidInput) as caught:
        parse_address(url)
    assert "\x1b" not in caught.value.message
