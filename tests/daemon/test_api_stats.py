"""A container's resource usage: the counters that exporters read, alike on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.api import Api
from support.docker import LABEL, LONE, Docker, busybox_files

NEVER = "0001-01-01T00:00:00Z"
BUSY = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; ls -lR / >/tmp/l 2>&1; exec sleep 1000"


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("stats", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture(scope="module")
def api(both: Docker) -> Iterator[Api]:
    with Api(both) as api:
        yield api


def sample(api: Api, name: str) -> dict[str, Any]:
    """Two samples of a container, of which the second is returned."""
    stats: dict[str, Any] = api.get(f"/containers/{name}/stats", params={"stream": "0"}).json()
    return stats


def test_memory_has_the_kernels_counters_and_the_limit(api: Api, both: Docker, image: str):
    """On version 0.1 `memory_stats.stats` was empty, so that exporters showed nothing."""
    name = both.run("memory", image, "sh", "-c", BUSY, options=(*LONE, "--memory", "64m"))
    memory = sample(api, name)["memory_stats"]
    assert memory["limit"] == 64 << 20
    v1 = Path("/sys/fs/cgroup/memory").is_dir()
    expected = {"anon", "file", "inactive_file", "shmem", "slab", "pgfault"}
    if v1:
        expected = {"total_rss", "total_cache", "total_inactive_file", "rss", "cache", "mapped_file", "pgfault"}
    assert expected <= memory["stats"].keys()
    assert memory["usage"] >= memory["stats"]["total_rss" if v1 else "anon"] > 0
    assert ("max_usage" in memory) == v1
    both("rm", "-f", name)


def test_processor_time_has_all_counters(api: Api, both: Docker, image: str):
    name = both.run("cpu", image, "sh", "-c", BUSY, options=LONE)
    stats = sample(api, name)
    usage = stats["cpu_stats"]["cpu_usage"]
    if Path("/sys/fs/cgroup/cpuacct").exists():
        assert sum(usage["percpu_usage"]) == usage["total_usage"]
    assert usage["usage_in_kernelmode"] + usage["usage_in_usermode"] > 0
    assert stats["cpu_stats"]["online_cpus"] >= 1
    before, now = (stats[field]["system_cpu_usage"] for field in ("precpu_stats", "cpu_stats"))
    assert 0 < before < now
    assert NEVER < stats["preread"] < stats["read"]
    both("rm", "-f", name)


def test_each_interface_has_all_counters_by_its_name(api: Api, both: Docker, image: str):
    """Version 0.1 showed the sum of all as `eth0`, without packets and errors."""
    networks = [both.name(short) for short in ("one", "two")]
    for network in networks:
        both("network", "create", "--label", f"{LABEL}={both.prefix}", network)
    name = both.run("faces", image, "sleep", "1000", options=("--stop-signal", "KILL", "--network", networks[0]))
    both("network", "connect", networks[1], name)
    counters = {f"{way}_{what}" for way in ("rx", "tx") for what in ("bytes", "packets", "errors", "dropped")}
    faces = sample(api, name)["networks"]
    assert {face: set(counts) for face, counts in faces.items()} == {"eth0": counters, "eth1": counters}
    both("rm", "-f", name)
    both("network", "rm", *networks)


def test_a_network_of_another_is_shown_and_the_hosts_is_not(api: Api, both: Docker, image: str):
    host = both.run("host", image, "sleep", "1000", options=("--stop-signal", "KILL", "--network", "host"))
    behind = ("--stop-signal", "KILL", "--network", f"container:{host}")
    name = both.run("behind", image, "sleep", "1000", options=behind)
    assert not sample(api, host).get("networks")
    assert not sample(api, name).get("networks")
    both("rm", "-f", name, host)


def test_one_that_does_not_run_uses_nothing(api: Api, both: Docker, image: str):
    """Version 0.1 left a time empty, at which clients' parsers broke off: "EOF", and lines without a name."""
    name = both.create("still", image, options=LONE)
    stats = sample(api, name)
    assert (stats["name"], stats["read"], stats["preread"]) == (f"/{name}", NEVER, NEVER)
    assert (stats["memory_stats"], stats["pids_stats"]) == ({}, {})
    line = both("stats", "--no-stream", "--format", "{{json .}}", name)
    shown = json.loads(line.splitlines()[-1].rpartition("\x1b[")[2].partition("{")[2].join(["{", ""]))
    assert (shown["Name"], shown["CPUPerc"], shown["PIDs"]) == (name, "0.00%", "0")
    both("rm", name)


def test_a_stream_of_one_sample_is_refused(api: Api, both: Docker, image: str):
    name = both.create("both-ways", image, options=LONE)
    refused = api.refusal("GET", f"/containers/{name}/stats", params={"stream": "1", "one-shot": "1"})
    assert refused == (400, "cannot have stream=true and one-shot=true")
    both("rm", name)


def test_all_kinds_of_block_input_and_output_are_there(api: Api, both: Docker, image: str):
    name = both.run("blocks", image, "sleep", "1000", options=LONE)
    running, created = sample(api, name)["blkio_stats"], both.create("none", image, options=LONE)
    still = sample(api, created)["blkio_stats"]
    assert (
        set(running)
        == set(still)
        == {
            f"{kind}_recursive"
            for kind in (
                *(
                    "io_service_bytes",
                    "io_serviced",
                    "io_queue",
                    "io_service_time",
                    "io_wait_time",
                    "io_merged",
                    "io_time",
                ),
                "sectors",
            )
        }
    )
    assert set(map(str, still.values())) == {"None"}
    both("rm", "-f", name, created)
