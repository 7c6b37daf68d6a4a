from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.triage.collect.cgroup import read

ID = "ab" * 32


def make(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def mounted(*hierarchies: tuple[str, str, str]) -> str:
    return "".join(
        f"{number} 1 0:{number} / /sys/fs/cgroup{mount_point} rw - {kind} cgroup {options}\n"
        for number, (mount_point, kind, options) in enumerate(hierarchies, start=30)
    )


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    group = f"sys/fs/cgroup/system.slice/docker-{ID}.scope"
    make(
        tmp_path,
        {
            "proc/self/mountinfo": mounted(("", "cgroup2", "rw")),
            "proc/7/cgroup": f"0::/system.slice/docker-{ID}.scope\n",
            f"{group}/cpu.stat": "usage_usec 1000\nnr_periods 100\nnr_throttled 40\nthrottled_usec 5\n",
            f"{group}/memory.current": "1048576\n",
            f"{group}/memory.stat": "anon 1\ninactive_file 48576\n",
            f"{group}/memory.max": "20971520\n",
            f"{group}/memory.peak": "3000000\n",
            f"{group}/memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n",
            f"{group}/pids.current": "3\n",
            f"{group}/pids.max": "max\n",
            f"{group}/pids.events": "max 5\n",
        },
    )
    return tmp_path


def test_version_2(version_2: Path) -> None:
    result = read(7, ID, root=version_2)
    assert result is not None
    assert (result.oom_kills, result.pids_refused, result.pids_limit) == (2, 5, None)
    assert (result.memory_bytes, result.memory_limit, result.memory_peak) == (1_000_000, 20971520, 3_000_000)
    assert result.throttled_ratio == 0.4


def test_version_1(tmp_path: Path) -> None:
    group = f"docker/{ID}"
    make(
        tmp_path,
        {
            "proc/self/mountinfo": mounted(
                ("/memory", "cgroup", "rw,memory"),
                ("/cpu", "cgroup", "rw,cpu"),
                ("/cpuacct", "cgroup", "rw,cpuacct"),
                ("/pids", "cgroup", "rw,pids"),
            ),
            "proc/7/cgroup": "".join(f"{n}:{c}:/{group}\n" for n, c in enumerate(("memory", "cpu", "cpuacct", "pids"))),
            f"sys/fs/cgroup/memory/{group}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
            f"sys/fs/cgroup/memory/{group}/memory.usage_in_bytes": "1000\n",
            f"sys/fs/cgroup/cpuacct/{group}/cpuacct.usage": "5\n",
            f"sys/fs/cgroup/cpu/{group}/cpu.stat": "nr_periods 10\nnr_throttled 1\nthrottled_time 5\n",
            f"sys/fs/cgroup/pids/{group}/pids.max": "64\n",
            f"sys/fs/cgroup/pids/{group}/pids.events": "max 1\n",
        },
    )
    result = read(7, ID, root=tmp_path)
    assert result is not None
    assert (result.oom_kills, result.pids_limit, result.pids_refused) == (3, 64, 1)
    assert (result.periods, result.throttled) == (10, 1)


def test_a_process_of_another_container_is_not_read(version_2: Path) -> None:
    assert read(7, "cd" * 32, root=version_2) is None
    assert read(8, ID, root=version_2) is None


def test_counters_that_are_not_there_are_unknown_and_not_zero(version_2: Path) -> None:
    group = version_2 / f"sys/fs/cgroup/system.slice/docker-{ID}.scope"
    for name in ("memory.events", "pids.events", "memory.peak"):
        (group / name).unlink()
    (group / "pids.max").write_text("nonsense\n")
    result = read(7, ID, root=version_2)
    assert result is not None
    assert (result.oom_kills, result.pids_refused, result.memory_peak, result.pids_limit) == (None, None, None, None)
