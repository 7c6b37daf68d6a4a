from __future__ import annotations

import pytest

from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.engine_stores import ContainerdStore, stores_of
from pyd_core.cri.node_address import parse_node_address
from pyd_core.errors import InvalidInput


def test_an_address_names_socket_and_namespace():
    cri = parse_node_address("cri:///run/containerd/containerd.sock")
    assert (cri.socket, cri.namespace, cri.cri) == ("/run/containerd/containerd.sock", "k8s.io", True)
    assert parse_node_address("containerd:///a.sock").namespace == "default"
    assert parse_node_address("containerd:///a%20b.sock?namespace=moby").store == ContainerdStore("/a b.sock", "moby")


@pytest.mark.parametrize(
    "url",
    [
        "cri://host/a.sock",
        "cri:///a.sock?namespace=k8s.io",
        "cri:///",
        "containerd:///a.sock?namespace=../up",
        "containerd:///a.sock?namespace=a&namespace=b",
        "containerd:///a.sock?what=1",
        "containerd:///a.sock?namespace=" + "a" * 77,
        "containerd:///a%00b",
    ],
)
def test_an_address_with_other_parts_is_refused(url: str):
    with pytest.raises(InvalidInput):
        parse_node_address(url)


def test_a_node_is_local_and_has_its_own_store():
    endpoint = Endpoint(url="containerd:///a.sock?namespace=moby")
    assert endpoint.is_local
    assert endpoint.socket_path is None
    assert stores_of(endpoint) == [ContainerdStore("/a.sock", "moby")]
    assert stores_of(Endpoint(url="tcp://host:1")) == []
