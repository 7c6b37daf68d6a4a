"""Names of fields in requests, as clients write them."""

from __future__ import annotations

import json

import pytest

from pyd_core.daemon.api.spelling import respelled
from pyd_core.model.creation import CreateBody


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"image": "a", "TTY": True}, {"Image": "a", "Tty": True}),
        ({"hostconfig": {"binds": ["/a:/b"]}}, {"HostConfig": {"Binds": ["/a:/b"]}}),
        (
            {"NetworkingConfig": {"EndpointsConfig": {"lower": {"aliases": ["x"]}}}},
            {"NetworkingConfig": {"EndpointsConfig": {"lower": {"Aliases": ["x"]}}}},
        ),
        ({"HostConfig": {"mounts": [{"type": "bind"}]}}, {"HostConfig": {"Mounts": [{"Type": "bind"}]}}),
        ({"Image": "a", "image": "b"}, {"Image": "a"}),
        ({"Labels": {"image": "b"}, "image": "a"}, {"Labels": {"image": "b"}, "Image": "a"}),
        ({"image": "a", "Unknown": 1}, {"Image": "a", "Unknown": 1}),
    ],
)
def test_fields_have_the_names_of_the_api(sent: object, read: object):
    assert json.loads(respelled(json.dumps(sent).encode(), CreateBody)) == read


@pytest.mark.parametrize("body", [b'{"Image": "a", "Labels": {"tty": "b"}}', b"{", b"[1]", b"null", b"[" * 100_000])
def test_what_has_no_such_name_is_left_as_it_is(body: bytes):
    assert respelled(body, CreateBody) == body
