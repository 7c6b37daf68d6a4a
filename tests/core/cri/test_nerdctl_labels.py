"""nerdctl's labels, which any client of containerd can set."""

from __future__ import annotations

import pytest

from pyd_core.cri.nerdctl_labels import NETWORKS, PORTS, networks_of, ports_of


def test_ports_and_networks_are_read():
    labels = {
        PORTS: '[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"127.0.0.1"}]',
        NETWORKS: '["bridge","shop"]',
    }
    (port,) = ports_of(labels)
    assert (port.ip, port.public_port, port.private_port, port.type) == ("127.0.0.1", 8080, 80, "tcp")
    assert list(networks_of(labels).networks) == ["bridge", "shop"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{",
        '{"HostPort":1}',
        '[{"HostPort":"8080","ContainerPort":80}]',
        '[{"HostPort":-1,"ContainerPort":80}]',
        '[{"HostPort":80,"ContainerPort":70000}]',
        '[{"HostPort":80,"ContainerPort":80,"Protocol":"\\u001b[2J"}]',
        "[" * 100_000,
    ],
)
def test_damaged_labels_name_nothing(text: str):
    assert ports_of({PORTS: text}) == []
    assert networks_of({NETWORKS: text}).networks == {}
