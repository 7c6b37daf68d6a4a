"""The order in which a helper container's rights are tried."""

from __future__ import annotations

import pytest

from pyd_core.debug.helper.tiers import ORDER, TIERS, out_of_sight
from pyd_core.model.host_config import HostConfig


@pytest.mark.parametrize(
    ("target", "first"),
    [
        (HostConfig(), 3),
        (HostConfig(cap_add=["NET_ADMIN"]), 3),
        (HostConfig(cap_add=["CAP_SYS_PTRACE"]), 4),
        (HostConfig(cap_add=["all"]), 4),
        (HostConfig(privileged=True), 4),
    ],
)
def test_a_helper_is_out_of_sight_of_a_target_that_may_trace(target: HostConfig, first: int):
    """Below tier 4 the helper's processes are in the target's namespace, with CAP_SYS_ADMIN."""
    order = out_of_sight([TIERS[number] for number in ORDER], target)
    assert order[0].number == first
    assert sorted(tier.number for tier in order) == sorted(ORDER)
    assert [tier.number for tier in out_of_sight([TIERS[3]], target)] == [3]
