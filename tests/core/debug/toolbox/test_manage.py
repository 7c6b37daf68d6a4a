"""The order of results of a search for tools."""

from __future__ import annotations

from pyd_core.debug.toolbox.manage import rank


def test_the_likeliest_comes_first():
    packages = [
        ("ardour", "the digital audio workstation"),
        ("bind9-tools", "host, dig and delv"),
        ("dig", "asks name servers"),
        ("digup", "Digest Updating Tool"),
    ]
    assert [name for name, _ in rank(packages, ["dig"])] == ["dig", "digup", "bind9-tools", "ardour"]
