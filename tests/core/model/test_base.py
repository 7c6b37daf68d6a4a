import pytest

from pyd_core.errors import ProtocolError
from pyd_core.model.base import decode, encode, format_time, parse_time
from pyd_core.model.container import Container, ContainerSummary
from pyd_core.model.event import Event


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("2024-05-01T10:00:00.123456789Z", 1_714_557_600_123_456_789),
        ("2024-05-01T12:00:00.5+02:00", 1_714_557_600_500_000_000),
        ("0001-01-01T00:00:00Z", None),
        ("2024-13-01T10:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_times_are_parsed_to_the_nanosecond(text: str, nanoseconds: int | None):
    assert parse_time(text) == nanoseconds


def test_times_survive_a_round_trip():
    assert format_time(1_714_557_600_000_000_007) == "2024-05-01T10:00:00.000000007Z"
    assert parse_time(format_time(1_714_557_600_000_000_007)) == 1_714_557_600_000_000_007


def test_nulls_become_defaults_and_unknown_fields_are_ignored():
    body = b'{"Id": "a", "Name": "/x", "State": null, "Config": {"Env": null, "Labels": null}, "Mounts": null, "N": 1}'
    container = decode(body, Container)
    assert (container.name, container.config.env, container.config.labels, container.mounts) == ("x", [], {}, [])
    assert not container.state.running


def test_decoded_values_encode_to_the_same_json():
    body = b'{"Id":"a","Names":["/x"],"Labels":{"l":"1"},"State":"running"}'
    assert decode(encode(decode(body, ContainerSummary)), ContainerSummary) == decode(body, ContainerSummary)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Id": 1}', b"\xff"])
def test_bodies_of_another_type_are_protocol_errors(body: bytes):
    with pytest.raises(ProtocolError, match="the engine's answer"):
        decode(body, Container)


@pytest.mark.parametrize(
    ("names", "name"), [(["/web"], "web"), (["/other/alias", "/web"], "web"), (["web"], "web"), ([], "a" * 12)]
)
def test_a_containers_own_name_is_distinguished_from_aliases(names: list[str], name: str):
    assert ContainerSummary(id="a" * 64, names=names).name == name


@pytest.mark.parametrize(
    ("attributes", "code"),
    [({"exitCode": "137"}, 137), ({"containerExitCode": "3"}, 3), ({}, None), ({"exitCode": "x"}, None)],
)
def test_an_event_has_the_exit_code_of_a_container(attributes: dict[str, str], code: int | None):
    body = encode({"Type": "container", "Action": "die", "Actor": {"ID": "a", "Attributes": attributes}})
    assert decode(body, Event).exit_code == code
