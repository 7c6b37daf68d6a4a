"""A container's share of the host, field by field as on Docker Engine: mounts, devices, rights, limits."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files

FACTS = r"""
cut -d' ' -f4- /proc/self/mountinfo | sed 's/^/mount /'
find /dev -exec stat -c 'device %n %F %a %u:%g %t:%T' {} +
sed 's/^/status /' /proc/self/status | grep -E 'Cap|Seccomp|NoNewPrivs|Uid|Gid|Groups'
sed 's/^/limit /' /proc/self/limits
for each in /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range; do
    echo "sysctl $each $(cat $each 2>/dev/null)"
done
"""

OPTIONS = """

--privileged
--network host
--network none
--pid host
--ipc host
--ipc none
--ipc shareable
--uts host
--cgroupns host
--cgroupns private
--userns host
--read-only
--init
--tty
--shm-size 1m
--cap-drop ALL
--cap-add SYS_ADMIN
--user 1000:1000
--security-opt no-new-privileges
--security-opt seccomp=unconfined
--security-opt systempaths=unconfined
--device /dev/null:/dev/some/null:r
--device /dev/net
--tmpfs /run
--ulimit nofile=64:128
--privileged --network host
--privileged --network host --pid host --ipc host --uts host --cgroupns host
--privileged --ipc host
--privileged --device /dev/null:/dev/some/null
--network host --read-only
--network host --user 1000
""".splitlines()[1:]

PRIVATE = (
    (r"/\S*/containers/[0-9a-f]{64}", "DIRECTORY"),  # where an engine keeps a container's files
    (r"/(docker|pyd-[0-9a-f]{6})/[0-9a-f]{64}", "CGROUP"),
    (r" - overlay overlay .*", " - overlay"),
    (r"master:\d+ |shared:\d+ ", ""),
)


@pytest.fixture(scope="module")
def measure() -> Iterator[Docker]:
    """Docker Engine."""
    with Docker() as corner:
        yield corner


def facts(docker: Docker, image: str, options: str) -> set[str]:
    text = docker("run", "--rm", *shlex.split(options), image, "sh", "-c", FACTS)
    for pattern, name in PRIVATE:
        text = re.sub(pattern, name, text)
    return {line.strip() for line in text.splitlines()}


@pytest.mark.parametrize("options", OPTIONS)
def test_mounts_devices_and_rights_are_docker_engines(docker: Docker, measure: Docker, options: str):
    """On version 0.1 `--network host` had the host's cgroups below /sys, `--privileged` no directory of /dev."""
    both = [
        engine.image("facts", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        for engine in (measure, docker)
    ]
    expected, actual = facts(measure, both[0], options), facts(docker, both[1], options)
    more = {line for line in actual - expected if not line.startswith("mount /null /proc/interrupts ")}
    assert more == set()
    assert expected - actual == set()


def test_every_device_of_the_host_is_there_with_privileged(both: Docker):
    image = both.image("facts", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    seen = both("run", "--rm", "--privileged", image, "find", "/dev", "-type", "c", "-o", "-type", "b").split()
    skipped = ("/dev/pts/", "/dev/shm/", "/dev/mqueue/", "/dev/fd/")
    nodes = [path for path in Path("/dev").rglob("*") if path.is_char_device() or path.is_block_device()]
    expected = {str(path) for path in nodes if not path.is_symlink() and not str(path).startswith(skipped)}
    assert expected - {"/dev/console", "/dev/ptmx"} <= set(seen)  # its own


def test_a_path_that_is_no_device_is_refused(both: Docker):
    image = both.image("facts", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    for path, why in (("/etc", "not a device node"), ("/etc/passwd", "not a device node"), ("/no", "no such file")):
        name = both.create("refused", image, "true", options=("--device", path))
        with pytest.raises(AssertionError, match=f"error gathering device information .* {why}"):
            both("start", name)
        both("rm", name)


def test_masked_paths_are_reported_as_the_api_has_them(both: Docker):
    image = both.image("facts", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = both.create("masked", image, "true")
    shown = json.loads(both("inspect", name))[0]["HostConfig"]
    assert set(shown["MaskedPaths"]) == {
        *("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"),
        *("/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"),
    }
    both("rm", name)
