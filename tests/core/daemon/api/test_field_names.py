"""Names of fields in requests, as clients write them."""

from __future__ import annotations

import copy

import pytest

from pyd_core.daemon.api.field_names import normalize_field_names
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
    normalize_field_names(sent, CreateBody)
    assert sent == read


@pytest.mark.parametrize("plain", [{"Image": "a", "Labels": {"tty": "b"}}, [1], None, "text"])
def test_values_without_such_names_stay_unchanged(plain: object):
    before = copy.deepcopy(plain)
    assert normalize_field_names(plain, CreateBody) == 0
    assert plain == before
