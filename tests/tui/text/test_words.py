"""Ages, sizes and ports in few words."""

from __future__ import annotations

import pytest

from pyd_core.model.container import Port
from pyd_tui.text.ages import age
from pyd_tui.text.ports import ports
from pyd_tui.text.sizes import size


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (86400, "1d"), (7 * 86400, "1w"), (8e8, "25y")],
)
def test_an_age_is_its_largest_whole_unit(seconds: float, words: str):
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KiB"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (1023 * 2**20, "1 GiB"),
        (2**60, "1024 PiB"),
    ],
)
def test_a_size_has_three_figures_at_most(count: float, words: str):
    assert size(count) == words


ANYWHERE = "0.0.0.0"  # noqa: S104 - as an engine says it


def _port(private: int, public: int | None = None, ip: str = "", kind: str = "tcp") -> Port:
    return Port(private_port=private, public_port=public, ip=ip, type=kind)


def test_a_port_on_both_address_families_is_told_once():
    assert ports([_port(80, 8080, ANYWHERE), _port(80, 8080, "::")]) == "8080->80"


def test_neighbouring_ports_become_a_range_only_when_both_sides_step():
    assert ports([_port(80 + i, 8000 + i, ANYWHERE) for i in range(3)]) == "8000-8002->80-82"
    assert ports([_port(80, 8000), _port(82, 8001)]) == "8000->80, 8001->82"


def test_an_address_and_a_protocol_are_told_when_they_are_not_the_usual():
    assert ports([_port(53, 53, "127.0.0.1", "udp")]) == "127.0.0.1:53->53/udp"
    assert ports([_port(53, 53, "fd00::1")]) == "[fd00::1]:53->53"


def test_exposed_ports_come_last_and_not_twice():
    assert ports([_port(9000), _port(80), _port(80, 8080), _port(81)]) == "8080->80, 81, 9000"
