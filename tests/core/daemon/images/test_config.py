"""Configurations of images that strangers wrote: what is taken, and what is refused before it is stored."""

from __future__ import annotations

import json

import pytest

from pyd_core.daemon.images.config import read_config
from pyd_core.errors import InvalidInput

WHOLE = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}


def config(**fields: object) -> bytes:
    return json.dumps({**WHOLE, **fields}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"\x00",
        b'{"created": NaN}',
        config(config=[]),
        config(config={"Labels": {"a": 1}}),
        config(config={"Labels": ["a"]}),
        config(config={"Env": "A=b"}),
        config(config={"Env": [1]}),
        config(config={"Cmd": 5}),
        config(config={"Volumes": [1]}),
        config(config={"Healthcheck": {"Test": 5}}),
        config(config={"Cmd": json.loads("[" * 300 + "]" * 300)}),
        config(rootfs={"diff_ids": [1]}),
        config(rootfs=5),
        config(history=5),
        config(history=[{"created": 5}]),
        config(created="yesterday"),
        config(os=5),
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 100_000,
        b'"' + b'\\"' * (4 << 20),  # a text that never ends, each of whose quotes looks like the beginning of one
        b'{"a": "' + b'\\"' * (1 << 20) + b"\\",
        config(config={"Labels": {"a": "x" * (9 << 20)}}),
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_invalid_configurations_are_refused(body: bytes):
    """Version 0.1 stored most of them, and `docker images` failed for everybody until they were removed."""
    with pytest.raises(InvalidInput, match="invalid image configuration"):
        read_config(body)


def test_configurations_that_docker_engine_accepts_are_accepted():
    """A command as a text, half a surrogate pair, lists nested deep in a field that isn't read, nulls."""
    assert read_config(config(config={"Cmd": "sh", "Entrypoint": ["a"]})).config.cmd == ["sh"]  # type: ignore[union-attr]
    labels = read_config(config(config={"Labels": {"a": "\ud800!", "b": "\\ud800", "c": "\U0001f600"}})).config.labels  # type: ignore[union-attr]
    assert labels == {"a": "\ufffd!", "b": "\\ud800", "c": "\U0001f600"}
    deep = config(unknown=5).replace(b"5", b"[" * 5000 + b'"]"' + b"]" * 5000)
    assert read_config(deep).architecture == "amd64"
    assert read_config(config(config=None, history=None, created=None)).config is None
