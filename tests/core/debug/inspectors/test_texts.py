"""Texts of the kernel, read."""

from __future__ import annotations

import pytest

from pyd_core.debug.forward import ForwardAddress, parse_forward
from pyd_core.debug.inspectors.limits import parse_limits
from pyd_core.debug.inspectors.memory_maps import parse_mappings
from pyd_core.debug.inspectors.mounts import parse_mounts
from pyd_core.debug.inspectors.processes import target_pid
from pyd_core.debug.inspectors.variables import MASK, mask
from pyd_core.errors import InvalidInput
from pyd_core.model.container import MountPoint

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            10                   20                   files
Max nice priority         0                    0
"""
SMAPS = """\
00400000-00401000 r-xp 00000000 08:01 12                                 /bin/my app
Size:                  4 kB
Rss:                   4 kB
Pss:                   2 kB
Private_Dirty:         0 kB
VmFlags: rd ex
00601000-00602000 rw-p 00001000 08:01 12                                 /bin/my app
Size:                  4 kB
Rss:                   4 kB
Private_Dirty:         4 kB
7f0000000000-7f0000100000 rw-p 00000000 00:00 0
Size:               1024 kB
Rss:                  64 kB
Swap:                  8 kB
"""
MOUNTS = """\
100 99 0:50 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/x
101 100 8:1 /v /data\\040dir ro,nosuid shared:9 - ext4 /dev/vda rw
102 100 0:51 / /proc rw,nosuid - proc proc rw
103 100 8:1 /h /etc/hosts rw - ext4 /dev/vda rw
"""


def test_limits_with_what_is_used_of_them():
    cpu, files, nice = parse_limits(LIMITS, {"open files": 9})
    assert (cpu.soft, cpu.hard, cpu.unit, cpu.used) == (None, None, "seconds", None)
    assert (files.soft, files.hard, files.used, files.near) == (10, 20, 9, True)
    assert (nice.soft, nice.unit) == (0, "")


def test_mappings_are_added_up_by_file():
    anonymous, program = parse_mappings(SMAPS.splitlines())
    assert (anonymous.name, anonymous.rss, anonymous.swap) == ("[anonymous]", 64 << 10, 8 << 10)
    assert (program.name, program.count, program.size, program.dirty) == ("/bin/my app", 2, 8 << 10, 4 << 10)
    assert program.permissions == "rwx"


def test_mounts_know_where_they_come_from():
    point = MountPoint(type="volume", name="store", source="/var/v", destination="/data dir", rw=False)
    root, data, proc, hosts = parse_mounts(MOUNTS, {"/data dir": point})
    assert (root.origin, root.kind, root.propagation) == ("root", "overlay", "slave")
    assert (data.path, data.origin, data.volume, data.source) == ("/data dir", "volume", "store", "/var/v")
    assert data.read_only
    assert data.propagation == "shared"
    assert (proc.origin, hosts.origin) == ("kernel", "engine")


def test_the_last_number_is_the_targets_own():
    assert target_pid(b"Name:\tx\nNSpid:\t900\t12\t1\n", 900) == 1
    assert target_pid(b"Name:\tx\n", 900) == 900


@pytest.mark.parametrize("name", ["API_TOKEN", "DB_PASSWORD", "PGPASSWORD", "SECRET", "AWS_SECRET_ACCESS_KEY", "key"])
def test_what_looks_secret_is_left_out(name: str):
    assert mask(name, "x") == MASK
    assert mask("KEYBOARD", "de") == "de"
    assert mask("PATH", "/bin") == "/bin"
    assert mask("PWD", "/srv") == "/srv"
    assert mask("URL", "postgres://me:pass@db/x") == f"postgres://me:{MASK}@db/x"


def test_forwards_as_they_are_written():
    assert parse_forward("80") == ForwardAddress(local=80, host="127.0.0.1", port=80)
    assert parse_forward("0:80") == ForwardAddress(local=0, host="127.0.0.1", port=80)
    assert parse_forward("8080:db:5432") == ForwardAddress(local=8080, host="db", port=5432)
    assert parse_forward("0.0.0.0:8080:[::1]:80") == ForwardAddress(local=8080, host="::1", port=80, bind="0.0.0.0")  # noqa: S104
    for text in ("", "x", "80:0", "1:2:3:4:5", "70000:1", ":80:80"):
        with pytest.raises(InvalidInput):
            parse_forward(text)
