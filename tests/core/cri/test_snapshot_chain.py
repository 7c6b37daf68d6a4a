"""Names of unpacked layers; the digests are of a real image, the chain as containerd 1.7.24 named it."""

from __future__ import annotations

import pytest

from pyd_core.cri.snapshot_chain import chain_id
from pyd_core.errors import ProtocolError

LAYERS = (
    "sha256:5d9dd798df14f727505ea5df452a4700805a1ad5e12c285c283bb83f8f8dc5e9",
    "sha256:571b71bc6e756a0a1a8b4c89931397c249b3204aa417291130e7e8852cde71b2",
    "sha256:cf3ec050f335f7480393d1eb31fa579463e5c724e681c08b8e06360fff5a9a98",
)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, ""),
        (1, LAYERS[0]),
        (2, "sha256:71b315a0e42d2a3ad927032ad21c66e2c619d9dcbc5cb8965aaa789b8004b1ed"),
        (3, "sha256:3cb8e3bd1bea6a95ce865c79e9999ff495250d87f54ba21348b1bd3939f97693"),
    ],
)
def test_the_chain_names_all_layers_up_to_the_last(count: int, expected: str):
    assert chain_id(LAYERS[:count]) == expected


@pytest.mark.parametrize(
    "name", ["", "sha256:..", LAYERS[0] + "\n", LAYERS[0].upper(), "../../etc", "sha512:" + "0" * 64]
)
def test_what_is_no_digest_is_refused(name: str):
    with pytest.raises(ProtocolError):
        chain_id([LAYERS[0], name])
