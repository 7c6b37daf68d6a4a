"""Creation requests in older versions of the API."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pyd_core.daemon.api.versions import as_of
from pyd_core.errors import InvalidInput

BODY: dict[str, Any] = {
    "Image": "a",
    "Healthcheck": {"Test": ["CMD", "x"], "StartInterval": 5},
    "HostConfig": {
        "AutoRemove": True,
        "Annotations": {"a": "b"},
        "ConsoleSize": [10, 20],
        "Mounts": [
            {"Type": "bind", "BindOptions": {"NonRecursive": True, "CreateMountpoint": True}, "TmpfsOptions": {}},
        ],
    },
}


def meant(version: tuple[int, int]) -> dict[str, Any]:
    plain = copy.deepcopy(BODY)
    as_of(plain, version)
    return plain


def test_the_newest_version_means_what_it_says():
    assert meant((1, 45)) == BODY


def test_later_fields_have_no_effect():
    assert "StartInterval" not in meant((1, 43))["Healthcheck"]
    host = meant((1, 42))["HostConfig"]
    assert ("Annotations" in host, host["ConsoleSize"]) == (False, [10, 20])
    host = meant((1, 41))["HostConfig"]
    assert host["ConsoleSize"] == [0, 0]
    assert host["Mounts"] == [{"Type": "bind", "BindOptions": {"NonRecursive": True}}]
    host = meant((1, 39))["HostConfig"]
    assert (host["Mounts"][0]["BindOptions"], host["IpcMode"], host["AutoRemove"]) == ({}, "shareable", True)
    assert meant((1, 24))["HostConfig"]["AutoRemove"] is False


@pytest.mark.parametrize(
    ("more", "version", "words"),
    [
        ({"HostConfig": {"Mounts": [{"VolumeOptions": {"Subpath": "a"}}]}}, (1, 44), "Subpath needs API v1.45"),
        (
            {"HostConfig": {"Mounts": [{"BindOptions": {"ReadOnlyForceRecursive": True}}]}}, (1, 43),
            "ReadOnlyForceRecursive needs API v1.44",
        ),
        (
            {"HostConfig": {}, "NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}}, (1, 43),
            "Container cannot be created with multiple network endpoints: a, b",
        ),
    ],
)  # fmt: skip
def test_later_fields_that_must_not_be_ignored_are_refused(more: dict[str, Any], version: tuple[int, int], words: str):
    as_of(copy.deepcopy(more), (1, 45))
    with pytest.raises(InvalidInput, match=words):
        as_of(more, version)
