"""Commands in a node's containers: whose rights they have."""

from __future__ import annotations

import pytest

from pyd_core.cri.node_execs import credentials
from pyd_core.errors import InvalidInput

CAPABILITIES = {name: ["CAP_CHOWN"] for name in ("bounding", "effective", "permitted", "inheritable", "ambient")}
ROOT: dict[str, object] = {"user": {"uid": 0, "gid": 0, "additionalGids": [10]}, "capabilities": CAPABILITIES}


def test_another_user_has_none_of_the_roots_capabilities_nor_groups():
    fields = credentials(ROOT, "1000:2000")
    assert fields["user"] == {"uid": 1000, "gid": 2000}
    assert fields["capabilities"] == {"bounding": ["CAP_CHOWN"]}


def test_root_keeps_them():
    assert credentials(ROOT, "0") == {"user": {"uid": 0, "gid": 0}}


@pytest.mark.parametrize("user", ["web", "-1", "1:web", ":1", "1000:x"])
def test_only_numbers_are_users(user: str):
    with pytest.raises(InvalidInput, match="numeric user"):
        credentials(ROOT, user)
