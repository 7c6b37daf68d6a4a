"""Plans of networks, without a kernel: packet rules, names, eligible containers."""

from __future__ import annotations

import pytest

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import dns, eligibility, firewall, legacy_links
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig
from pyd_core.model.network import EndpointIpam, EndpointSettings


def network(name: str, **more: object) -> NetworkRecord:
    return NetworkRecord(id=name.ljust(64, "0"), name=name, driver="bridge", created_ns=1, **more)  # type: ignore[arg-type]


def container(mode: str, *networks: str, status: str = "created") -> ContainerRecord:
    return ContainerRecord(
        id="c" * 64,
        name="c",
        created_ns=1,
        image_id="i",
        image="i",
        layers=[],
        config=ContainerConfig(),
        host=HostConfig(network_mode=mode),
        networks={name: EndpointSettings() for name in networks},
        status=status,  # type: ignore[arg-type]
    )


def test_forbidden_packets_are_dropped_before_translation():
    bridges = [
        firewall.Bridge(interface="b0", subnet="10.0.0.0/24"),
        firewall.Bridge(
            interface="b1", subnet="10.0.1.0/24", subnet6="fd00::/64", name_servers=("10.0.1.1", "fd00::1")
        ),
    ]
    local = firewall.Published(protocol="tcp", host_address="127.0.0.1", host_port=80, address="10.0.0.2", port=8080)
    text = firewall.plan("pyd", bridges, [local], has_ipv6=True)
    four, six = text.split("table ip6 pyd {")
    assert 'iifname { "b0", "b1" } ip saddr 127.0.0.0/8 drop' in four
    assert 'iifname { "b0", "b1" } ip daddr 127.0.0.0/8 drop' in four
    assert 'iifname != "lo" ip daddr 127.0.0.1 tcp dport 80 drop' in four
    assert 'iifname != "b1" ip daddr 10.0.1.1 meta l4proto { tcp, udp } th dport 53 drop' in four
    assert 'iifname != "b1" ip6 daddr fd00::1 meta l4proto { tcp, udp } th dport 53 drop' in six
    assert "dport 53" not in firewall.plan("pyd", bridges[:1], [], has_ipv6=False)


def test_names_are_served_bare_and_with_their_networks():
    assert dns.network_names(["web", "a.b"], "shop") == ("web", "a.b", "web.shop", "a.b.shop")
    assert dns.network_names(["x\n1.2.3.4 bank", "y,z", "a b", "", "ok"], "my net") == ("ok",)


@pytest.mark.parametrize(
    ("link", "parsed"),
    [
        ("a", ("a", "a")),
        ("a:b", ("a", "b")),
        ("/a:/c/b", ("a", "b")),
        ("/a", ("a", "a")),
        ("db:/mysql", ("db", "mysql")),
    ],
)
def test_links_are_read_as_they_are_written_and_as_inspect_shows_them(link: str, parsed: tuple[str, str]):
    assert legacy_links.parse_link(link) == parsed


@pytest.mark.parametrize(
    ("record", "joined", "words"),
    [
        (container("host", "host"), "net", eligibility.SHARED_NAMESPACE),
        (container("container:x"), "net", eligibility.SHARED_NAMESPACE),
        (container("none", "none"), "net", eligibility.NO_NETWORK),
        (container("net", "net"), "none", eligibility.NO_NETWORK),
        (container("net", "net"), "host", eligibility.HOST_NETWORK),
    ],
)
def test_incompatible_networks_are_refused(record: ContainerRecord, joined: str, words: str):
    with pytest.raises(InvalidInput, match=words[:40]):
        eligibility.check_connect(record, network(joined))


def test_a_container_that_is_not_on_a_network_cannot_leave_it():
    for status, which in (("created", "the network"), ("running", "network")):
        with pytest.raises(PydError, match=f"is not connected to {which} net"):
            eligibility.check_disconnect(container("bridge", "bridge", status=status), network("net"))
    eligibility.check_disconnect(container("bridge", "bridge"), network("bridge"))


@pytest.mark.parametrize(
    ("requested", "errors"),
    [
        (EndpointIpam(ipv4_address="10.0.0.9"), 0),
        (EndpointIpam(ipv4_address="10.0.9.9"), 1),
        (EndpointIpam(ipv4_address="0.0.0.0"), 1),  # noqa: S104 - refused
        (EndpointIpam(ipv4_address="x", ipv6_address="::ffff:10.0.0.9"), 3),
        (EndpointIpam(link_local_ips=["169.254.7.7", "fe80::7"]), 0),
        (EndpointIpam(link_local_ips=["169.253.7.7", "2001:db8::7", "x"]), 3),
    ],
)
def test_addresses_that_make_no_sense_are_all_listed(requested: EndpointIpam, errors: int):
    endpoint = EndpointSettings(ipam_config=requested)
    own = network("net", subnet="10.0.0.0/24", own_subnet=True)
    if not errors:
        eligibility.check_settings(own, endpoint, prefix="")
        return
    with pytest.raises(InvalidInput) as refused:
        eligibility.check_settings(own, endpoint, prefix="invalid config: ")
    assert refused.value.message.startswith("invalid config: invalid endpoint settings:\n")
    assert len(refused.value.message.splitlines()) == errors + 1
