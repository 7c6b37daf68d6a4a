"""The declared packs."""

from __future__ import annotations

import pytest

from pyd_debugimages.packs import LEFT_OUT, NEVER, PACKS, Pack


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_pack_asks_for_nothing_twice_and_says_what_it_is_for(pack: Pack):
    assert len(set(pack.packages)) == len(pack.packages)
    assert pack.summary
    assert not any(choice in NEVER for package in pack.packages if "|" in package for choice in package.split("|"))
    assert PACKS[pack.name] is pack


def test_what_is_left_out_is_named_below_the_toolbox_and_no_folder_of_programs_is():
    assert all(path and not path.startswith(("/", "bin", "sbin")) and ".." not in path for path in LEFT_OUT)
