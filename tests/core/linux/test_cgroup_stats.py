import os
from pathlib import Path

import pytest

from pyd_core.linux.cgroup_stats import (
    READINGS_PER_SLOW_READ,
    UNIFIED,
    CgroupMount,
    Counters,
    GroupReader,
    physical_memory,
    read_groups,
    read_mounts,
)
from pyd_core.linux.procfs import NetworkCounters, read_network, shares_network

HOST = 2**34


def write(directory: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(errors="surrogateescape"))
    return str(directory)


V1 = {
    "cpuacct/cpuacct.usage": "123456789\n",
    "cpu/cpu.stat": "nr_periods 100\nnr_throttled 25\nthrottled_time 5\n",
    "memory/memory.usage_in_bytes": "1000000\n",
    "memory/memory.stat": "cache 5\ninactive_file 7\ntotal_inactive_file 200000\ntotal_cache 1\n",
    "memory/memory.limit_in_bytes": "5000000\n",
    "memory/memory.max_usage_in_bytes": "3000000\n",
    "pids/pids.current": "12\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": (
        "8:0 Read 100\n8:0 Write 50\n8:0 Sync 7\n8:16 Read 1\n8:16 Write 2\nTotal 160\n"
    ),
}

V2 = {
    "cpu.stat": "usage_usec 123456\nuser_usec 1\nnr_periods 10\nnr_throttled 1\nthrottled_usec 9\n",
    "memory.current": "1000000\n",
    "memory.stat": "anon 5\nfile 9\ninactive_anon 3\ninactive_file 200000\n",
    "memory.max": "5000000\n",
    "memory.peak": "3000000\n",
    "pids.current": "12\n",
    "io.stat": "8:0 rbytes=100 wbytes=50 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n",
}


@pytest.fixture(params=[False, True], ids=["opened each time", "kept open"])
def keep(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def v1_reader(tmp_path: Path, files: dict[str, str], *, keep: bool = False) -> GroupReader:
    root = write(tmp_path, files)
    names = ("cpuacct", "cpu", "memory", "pids", "blkio")
    return GroupReader({name: f"{root}/{name}" for name in names}, host_memory=HOST, keep_open=keep)


def test_a_v1_group_is_read(tmp_path: Path, keep: bool):
    reader = v1_reader(tmp_path, V1, keep=keep)
    assert reader.read() == Counters(123456789, 100, 25, 800_000, 5_000_000, 3_000_000, 12, 101, 52)
    reader.close()


def test_a_v2_group_is_read(tmp_path: Path, keep: bool):
    reader = GroupReader({UNIFIED: write(tmp_path, V2)}, host_memory=HOST, keep_open=keep)
    assert reader.read() == Counters(123_456_000, 10, 1, 800_000, 5_000_000, 3_000_000, 12, 101, 52)
    reader.close()


def test_a_hybrid_group_is_read_from_where_each_controller_is(tmp_path: Path):
    unified = write(tmp_path / "unified", {"cpu.stat": V2["cpu.stat"], "io.stat": V2["io.stat"]})
    memory = write(tmp_path / "memory", {name.split("/")[1]: text for name, text in V1.items() if "memory" in name})
    got = GroupReader({UNIFIED: unified, "memory": memory}, host_memory=HOST).read()
    assert got == Counters(123_456_000, 10, 1, 800_000, 5_000_000, 3_000_000, None, 101, 52)


def test_what_changes_is_read_again(tmp_path: Path, keep: bool):
    reader = v1_reader(tmp_path, V1, keep=keep)
    reader.read()
    (tmp_path / "cpuacct/cpuacct.usage").write_text("223456789\n")
    got = reader.read()
    assert got is not None
    assert got.cpu_ns == 223456789
    reader.close()


def test_memory_is_read_again_once_processes_have_run_and_at_times_anyway(tmp_path: Path, keep: bool):
    reader = v1_reader(tmp_path, V1, keep=keep)
    first = reader.read()
    assert first is not None
    (tmp_path / "memory/memory.usage_in_bytes").write_text("1900000\n")
    (tmp_path / "pids/pids.current").write_text("13\n")
    assert reader.read() == first
    assert (brief := reader.read(brief=True)) is not None
    assert brief.memory == first.memory
    (tmp_path / "cpuacct/cpuacct.usage").write_text("123456790\n")
    assert (busy := reader.read()) is not None
    assert (busy.memory, busy.pids) == (1_700_000, 13)
    (tmp_path / "memory/memory.usage_in_bytes").write_text("300000\n")
    readings = [reader.read(brief=True) for _ in range(READINGS_PER_SLOW_READ)]
    assert [reading.memory for reading in readings if reading is not None][-1] == 100_000
    assert (full := reader.read()) is not None
    assert full.pids == 13
    reader.close()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/memory.limit_in_bytes", f"{HOST}\n"),
        ("memory/memory.limit_in_bytes", "-1\n"),
    ],
)
def test_a_v1_limit_that_is_none_is_none(tmp_path: Path, file: str, text: str):
    got = v1_reader(tmp_path, {**V1, file: text}).read()
    assert got is not None
    assert got.memory_limit is None


def test_a_v2_limit_of_max_is_none(tmp_path: Path):
    got = GroupReader({UNIFIED: write(tmp_path, {**V2, "memory.max": "max\n"})}, host_memory=HOST).read()
    assert got is not None
    assert got.memory_limit is None


def test_cache_greater_than_use_is_not_subtracted(tmp_path: Path):
    got = GroupReader({UNIFIED: write(tmp_path, {**V2, "memory.current": "10\n"})}, host_memory=HOST).read()
    assert got is not None
    assert got.memory == 10


@pytest.mark.parametrize("gone", sorted(set(V1) - {"cpuacct/cpuacct.usage"}))
def test_a_missing_v1_file_leaves_the_others_readable(tmp_path: Path, gone: str):
    got = v1_reader(tmp_path, {name: text for name, text in V1.items() if name != gone}).read()
    assert got is not None
    assert got.cpu_ns == 123456789


@pytest.mark.parametrize(
    "garbage", ["", "\n", "nonsense", "-5", "9" * 100, "\udcff\udcfe", "usage_usec\nnr_periods x\n"]
)
def test_garbage_is_nothing_and_no_error(tmp_path: Path, garbage: str):
    only_cpu = dict.fromkeys(V2, garbage) | {"cpu.stat": "usage_usec 5\n"}
    got = GroupReader({UNIFIED: write(tmp_path, only_cpu)}, host_memory=HOST).read()
    assert got is not None
    assert got[:7] == (5000, None, None, None, None, None, None)
    assert GroupReader({UNIFIED: write(tmp_path, dict.fromkeys(V2, garbage))}, host_memory=HOST).read() is None


def test_a_group_that_vanished_is_none(tmp_path: Path):
    assert GroupReader({UNIFIED: str(tmp_path / "gone")}).read() is None


def test_closing_gives_all_descriptors_back(tmp_path: Path):
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts what is open
    reader = v1_reader(tmp_path, V1, keep=True)
    reader.read()
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_mounts_of_all_kinds_are_found(tmp_path: Path):
    lines = [
        "30 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
        "31 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
        "32 30 0:30 / /sys/fs/cgroup/with\\040blank rw shared:9 - cgroup cgroup rw,memory",
        "33 30 0:31 /docker/x /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids",
        "34 30 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
        "nonsense",
        "",
    ]
    root = write(tmp_path, {"proc/self/mountinfo": "\n".join(lines)})
    mounts = read_mounts(tmp_path)
    assert mounts["cpu"] == mounts["cpuacct"] == CgroupMount(f"{root}/sys/fs/cgroup/cpu,cpuacct", "/")
    assert mounts["memory"].point == f"{root}/sys/fs/cgroup/with blank"
    assert mounts[UNIFIED].directory("/system.slice/a.scope") == f"{root}/sys/fs/cgroup/unified/system.slice/a.scope"
    assert mounts["pids"].directory("/docker/x/init") == f"{root}/sys/fs/cgroup/pids/init"
    assert read_mounts(tmp_path / "nowhere") == {}


def test_the_groups_of_a_process_are_read(tmp_path: Path):
    write(tmp_path, {"proc/7/cgroup": "4:memory:/docker/x\n2:cpu,cpuacct:/docker/x:y\n1:name=systemd:/s\n0::/\nodd\n"})
    groups = read_groups(7, tmp_path)
    assert groups == {
        "memory": "/docker/x",
        "cpu": "/docker/x:y",
        "cpuacct": "/docker/x:y",
        "name=systemd": "/s",
        "": "/",
    }
    assert read_groups(8, tmp_path) is None


def network(tmp_path: Path, text: str) -> NetworkCounters | None:
    write(tmp_path, {"proc/7/net/dev": text})
    return read_network(7, tmp_path)


HEAD = "Inter-|   Receive |  Transmit\n face |bytes packets|bytes\n"


def test_the_traffic_of_all_interfaces_but_the_loopback_is_added(tmp_path: Path):
    zeros = "0 0 0 0 0 0 0"
    text = f"{HEAD}    lo: 999 {zeros} 999 {zeros}\n  eth0: 100 {zeros} 10 {zeros}\n eth1:5 {zeros} 6 {zeros}\n"
    assert network(tmp_path, text) == NetworkCounters(105, 16)


@pytest.mark.parametrize("text", ["", HEAD, HEAD + "eth0: x y\n", HEAD + "eth0\n"])
def test_a_strange_or_empty_interface_list_counts_nothing(tmp_path: Path, text: str):
    assert network(tmp_path, text) == NetworkCounters(0, 0)


def test_a_vanished_process_has_no_network(tmp_path: Path):
    assert read_network(9, tmp_path) is None
    assert shares_network(2**22 + 1) is None


def test_our_own_network_is_shared():
    assert shares_network(os.getpid()) is True
    assert physical_memory() > 2**20
