"""The declared packs."""

from __future__ import annotations

import pytest

from pyd_debugimages.packs import LEFT_OUT, NEVER, PACKS, Pack


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_pack_asks_for_nothing_twice_and_for_nothing_left_out(pack: Pack):
    assert len(set(pack.packages)) == len(pack.packages)
    assert not set(pack.packages) & NEVER
    assert PACKS[pack.name] is pack


def test_what_is_left_out_are_folders():
    assert all(folder.endswith("/") and not folder.startswith("/") for folder in LEFT_OUT)
