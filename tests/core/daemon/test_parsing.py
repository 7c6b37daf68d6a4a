"""Parsers of request values: names of images, ports, changes, keys, times, filters, rules."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import msgspec
import pytest

from pyd_core.daemon.containers import options, resources
from pyd_core.daemon.containers.health import judge
from pyd_core.daemon.events import fits
from pyd_core.daemon.images.blobs import hex_digest
from pyd_core.daemon.images.changes import apply_commit_changes
from pyd_core.daemon.networks import addresses, firewall
from pyd_core.daemon.runtime.oci import failure
from pyd_core.daemon.times import moment
from pyd_core.detach_keys import DetachKeys, parse_keys
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.gosyntax.durations import parse_request_duration
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.container_state import Health, HealthResult
from pyd_core.model.creation import CreateBody
from pyd_core.model.event import Actor, Event
from pyd_core.model.host_config import HostConfig
from pyd_core.model.reference import parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("debian", "docker.io/library/debian", "debian:latest"),
        ("some/app:1", "docker.io/some/app", "some/app:1"),
        ("localhost/app", "localhost/app", "localhost/app:latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b", "localhost:5000/a/b:t"),
        ("ghcr.io/x/y", "ghcr.io/x/y", "ghcr.io/x/y:latest"),
        ("docker.io/library/debian:13", "docker.io/library/debian", "debian:13"),
        ("docker.io/debian:13", "docker.io/library/debian", "debian:13"),
        ("index.docker.io/debian", "docker.io/library/debian", "debian:latest"),
        (f"app@{DIGEST}", "docker.io/library/app", f"app@{DIGEST}"),
    ],
)
def test_names_of_images(text: str, full: str, familiar: str):
    assert (parse(text).repository, str(parse(text))) == (full, familiar)


@pytest.mark.parametrize(
    "text", ["", "UPPER", "a//b", "a:b:c", "a@sha256:short", "-a", "a:" + "t" * 129, "../a", "a b"]
)
def test_an_invalid_image_name_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse(text)


@pytest.mark.parametrize("text", ["sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "a" * 32, "a" * 64])
def test_an_invalid_digest_never_becomes_a_path(text: str):
    with pytest.raises(InvalidInput):
        hex_digest(text)


def test_changes_are_applied_in_turn():
    lines = [
        "ENV A=1 B='two words'",
        "ENV A=3",
        'CMD ["/a", "b"]',
        "EXPOSE 80 53/udp",
        "LABEL x=y",
        "VOLUME /v",
        "USER u",
    ]
    config = apply_commit_changes(ContainerConfig(env=["B=0", "C=c"]), [*lines, "HEALTHCHECK --interval=3s CMD curl x"])
    assert config.env == ["B=two words", "C=c", "A=3"]
    assert config.cmd == ["/a", "b"]
    assert set(config.exposed_ports) == {"80/tcp", "53/udp"}
    assert config.healthcheck == HealthConfig(test=["CMD-SHELL", "curl x"], interval=3 * 10**9)
    for wrong in ("RUN x", "ENV", "", "HEALTHCHECK --nosuch=1 CMD x"):
        with pytest.raises(InvalidInput):
            apply_commit_changes(ContainerConfig(), [wrong])


def test_entrypoint_and_command_merge_as_in_docker():
    image = ContainerConfig(entrypoint=["/entry"], cmd=["default"], env=["A=1"], working_dir="/w")
    key = "c" * 64

    def command(**body: object) -> list[str]:
        merged = options.merge_image_config(msgspec.convert(body, CreateBody), image, key)
        return [*(merged.entrypoint or []), *(merged.cmd or [])]

    assert command() == ["/entry", "default"]
    assert command(Cmd=["own"]) == ["/entry", "own"]
    assert command(Entrypoint=["/other"]) == ["/other"]
    assert command(Entrypoint=[""], Cmd=["bare"]) == ["bare"]
    with pytest.raises(InvalidInput, match="no command"):
        options.merge_image_config(CreateBody(), ContainerConfig(), key)


@pytest.mark.parametrize(
    "host",
    [
        {"memory": 1000},
        {"memory": 10 << 20, "memory_swap": 5 << 20},
        {"memory_swap": 10 << 20},
        {"nano_cpus": 99 * 10**9},
        {"cpuset_cpus": "0-x"},
        {"blkio_weight": 5},
        {"oom_score_adj": 2000},
        {"memory_swappiness": 101},
        {"cpu_period": 1},
        {"nano_cpus": 10**9, "cpu_quota": 50_000},
    ],
)
def test_limits_out_of_range_are_refused(host: dict[str, object]):
    with pytest.raises(InvalidInput):
        resources.check(HostConfig(**host), 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["x", "0/tcp", "80/nosuch", "70000", "1-5", ""])
def test_an_invalid_port_is_refused(text: str):
    with pytest.raises(InvalidInput):
        options.parse_port(text)


def test_detach_keys_are_found_across_pieces_and_everything_else_passes():
    detacher = DetachKeys(parse_keys(""))
    assert detacher.feed(b"ab\x10") == (b"ab", False)
    assert detacher.feed(b"c\x10") == (b"\x10c", False)
    assert detacher.feed(b"\x11never") == (b"", True)
    with pytest.raises(InvalidInput):
        DetachKeys(parse_keys("ctrl-!"))


def test_times_and_durations():
    assert parse_request_duration("1m30s") == 90 * 10**9
    assert moment("12.5", "since") == 12_500_000_000
    assert moment("1970-01-01T00:00:01.5Z", "since") == 1_500_000_000
    assert moment("", "since") is None
    assert moment("0", "since") == 0
    for wrong in ("soon", "1x", "1s2"):
        with pytest.raises(InvalidInput):
            parse_request_duration(wrong)


def test_health_turns_by_its_streak_and_not_in_the_start_period():
    bad, good, probe = HealthResult(exit_code=1), HealthResult(exit_code=0), HealthConfig(retries=2)
    health = judge(Health(status="starting"), bad, probe, starting=True)
    assert (health.status, health.failing_streak) == ("starting", 0)
    health = judge(health, bad, probe, starting=False)
    assert health.status == "starting"
    health = judge(health, bad, probe, starting=False)
    assert (health.status, health.failing_streak) == ("unhealthy", 2)
    assert judge(health, good, probe, starting=False).status == "healthy"
    for _ in range(9):
        health = judge(health, bad, probe, starting=False)
    assert len(health.log) == 5


def test_event_filters_join_names_and_alternate_values():
    event = Event(
        type="container", action="exec_create: sh", actor=Actor(id="abc", attributes={"name": "web", "x": "y"})
    )
    assert fits(event, {"type": ["container"], "container": ["web", "other"]})
    assert fits(event, {"event": ["exec_create"]})
    assert fits(event, {"label": ["x=y"]})
    assert not fits(event, {"label": ["x=y", "z"]})
    assert not fits(event, {"type": ["image"]})
    assert not fits(event, {"container": ["webb"]})


def test_subnets_and_addresses_avoid_what_is_taken():
    taken = [IPv4Network("10.201.0.0/23"), IPv4Network("10.201.2.0/30")]
    assert addresses.free_subnet(taken) == IPv4Network("10.201.3.0/24")
    net = IPv4Network("10.0.0.0/29")
    used = {IPv4Address(f"10.0.0.{last}") for last in range(1, 6)}
    assert addresses.free_address(net, used) == IPv4Address("10.0.0.6")
    with pytest.raises(Conflict):
        addresses.free_address(net, {*used, IPv4Address("10.0.0.6")})
    for wrong in ("10.0.0.0/31", "10.0.0.1/24", "fd00::/127", "x"):
        with pytest.raises(InvalidInput):
            addresses.parse_subnet(wrong)
    with pytest.raises(InvalidInput, match=r"it should be 10\.0\.0\.0/24"):
        addresses.parse_subnet("10.0.0.1/24")
    for outside in ("10.0.1.1", "fd00::1", "x"):
        with pytest.raises(InvalidInput):
            addresses.parse_address(outside, net)
    six = addresses.local_subnet("0123456789abcdef" * 4)
    assert str(six) == "fd01:2345:6789:abcd::/64"
    assert str(addresses.free_address(six, {addresses.parse_address("fd01:2345:6789:abcd::1", six)})).endswith("::2")


def test_the_packet_rules_are_written_completely_from_the_running_containers():
    bridge = firewall.Bridge(interface="pyd0", subnet="10.1.0.0/24")
    inner = firewall.Bridge(interface="pyd1", subnet="10.2.0.0/24", internal=True, allows_icc=False)
    port = firewall.Published(protocol="tcp", host_address="127.0.0.1", host_port=8080, address="10.1.0.2", port=80)
    text = firewall.plan("pyd", [bridge, inner], [port], has_ipv6=False)
    assert text.startswith("table ip pyd\ndelete table ip pyd\n")
    assert "ip daddr 127.0.0.1 tcp dport 8080 dnat to 10.1.0.2:80" in text
    assert 'ip saddr 10.1.0.0/24 oifname != "pyd0" masquerade' in text
    assert 'ip saddr 10.2.0.0/24 oifname != "pyd1" masquerade' not in text
    assert 'iifname "pyd1" oifname "pyd1" drop' in text
    assert "ip6" not in text
    assert firewall.plan("pyd", [], [], has_ipv6=False) == "table ip pyd\ndelete table ip pyd\n"


def test_the_packet_rules_of_ipv6_are_a_table_of_their_own():
    both = firewall.Bridge(interface="pyd0", subnet="10.1.0.0/24", subnet6="fd00:1::/64")
    four = firewall.Bridge(interface="pyd1", subnet="10.2.0.0/24")
    ports = [
        firewall.Published(protocol="tcp", host_address="0.0.0.0", host_port=80, address="10.1.0.2", port=8080),  # noqa: S104
        firewall.Published(protocol="tcp", host_address="::", host_port=80, address="fd00:1::2", port=8080),
    ]
    text = firewall.plan("pyd", [both, four], ports, has_ipv6=True)
    old, new = text.split("table ip6 pyd\n", 1)
    assert "fd00" not in old
    assert "tcp dport 80 dnat to 10.1.0.2:8080" in old
    assert "tcp dport 80 dnat to [fd00:1::2]:8080" in new
    assert 'ip6 saddr fd00:1::/64 oifname != "pyd0" masquerade' in new
    assert "pyd1" not in new
    assert firewall.plan("pyd", [four], [], has_ipv6=True).endswith("table ip6 pyd\ndelete table ip6 pyd\n")


@pytest.mark.parametrize(
    ("crun_error", "message", "status"),
    [
        (
            "the path `/x` exists but it is not executable: Operation not permitted",
            'exec: "/x": permission denied',
            400,
        ),
        ("the path `/d` is not a regular file: Operation not permitted", 'exec: "/d": is a directory', 400),
        (
            "executable file `x` not found in $PATH: No such file or directory",
            'exec: "x": executable file not found',
            400,
        ),
        ("mount `/f` to `d`: Not a directory", 'error mounting "/f" to rootfs at "/d": not a directory', 500),
    ],
)
def test_cruns_words_become_those_that_clients_look_for(crun_error: str, message: str, status: int):
    error = failure("crun", crun_error.encode())
    assert message in str(error)
    assert isinstance(error, EngineError)
    assert error.status == status
