from __future__ import annotations

import os
import socket

import pytest

from pyd_core.linux.listeners import find_listener


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_names_the_program_that_listens(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        server = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip(f"missing: the address {address}")
    with server:
        result = find_listener(server.getsockname()[1])
        assert result is not None
        assert result.pid == os.getpid()
        assert result.name


def test_a_port_that_nobody_holds_has_no_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert find_listener(port) is None


def test_udp_ports_count_apart() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        result = find_listener(port, "udp")
        assert result is not None
        assert result.pid == os.getpid()
        assert find_listener(port) is None
