"""Ports as text."""

from __future__ import annotations

from pyd_core.model.container import Port
from pyd_tui.text.ports import ports

ANYWHERE = "0.0.0.0"  # noqa: S104 - as an engine says it


def _port(private: int, public: int | None = None, ip: str = "", kind: str = "tcp") -> Port:
    return Port(private_port=private, public_port=public, ip=ip, type=kind)


def test_a_port_on_both_address_families_is_shown_once():
    assert ports([_port(80, 8080, ANYWHERE), _port(80, 8080, "::")]) == "8080->80"


def test_adjacent_ports_become_a_range_only_if_both_sides_are_consecutive():
    assert ports([_port(80 + i, 8000 + i, ANYWHERE) for i in range(3)]) == "8000-8002->80-82"
    assert ports([_port(80, 8000), _port(82, 8001)]) == "8000->80, 8001->82"


def test_unusual_addresses_and_protocols_are_shown():
    assert ports([_port(53, 53, "127.0.0.1", "udp")]) == "127.0.0.1:53->53/udp"
    assert ports([_port(53, 53, "fd00::1")]) == "[fd00::1]:53->53"


def test_exposed_ports_come_last_and_only_once():
    assert ports([_port(9000), _port(80), _port(80, 8080), _port(81)]) == "8080->80, 81, 9000"
