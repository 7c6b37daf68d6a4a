"""A process's confinement, as read from the kernel."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pyd_core.debug.confine import read_profile
from pyd_core.debug.failures import describe_not_applied


@pytest.mark.parametrize(
    ("label", "profile"),
    [
        ("docker-default (enforce)\n", "docker-default"),
        ("a profile (complain)\n", "a profile"),
        ("unconfined\n", ""),
        ("system_u:system_r:container_t:s0:c1,c2\0", ""),
    ],
)
@pytest.mark.parametrize("attribute", ["attr/current", "attr/apparmor/current"])
def test_an_apparmor_profile_differs_from_other_labels(tmp_path: Path, attribute: str, label: str, profile: str):
    (tmp_path / attribute).parent.mkdir(parents=True)
    (tmp_path / attribute).write_text(label)
    process = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    try:
        assert read_profile(process) == profile
    finally:
        os.close(process)


def test_what_is_not_taken_over_is_told_with_its_reason():
    assert describe_not_applied("its seccomp filter", errno.EPERM).startswith(
        "not taken over: its seccomp filter: another program"
    )
    assert describe_not_applied("its AppArmor profile \x1b[1m", errno.ENOENT).endswith(": No such file or directory")
    assert "\x1b" not in describe_not_applied("its AppArmor profile \x1b[1m", errno.ENOENT)
