import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyd_core.linux.cgroup_stats import Counters
from pyd_core.linux.procfs import NetworkCounters
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.stats import Sample, compute_usage
from pyd_core.watch.stats_collector import MAX_STREAMS, StatsCollector
from support.scripted_engine import ScriptedEngine

SECOND = 10**9


class Measured:
    def __init__(self, scripted: ScriptedEngine, url: str, root: Path, rest_interval_s: float | None = None) -> None:
        engine = scripted.engine(url)
        self.fleet = ContainerWatcher(engine)
        self.meter = StatsCollector(engine, self.fleet, interval_s=0.01, rest_interval_s=rest_interval_s, root=root)
        self._news = asyncio.Event()
        self.meter.subscribe(self._news.set)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def measuring(scripted: ScriptedEngine, url: str, root: Path = Path("/")) -> AsyncIterator[Measured]:
    async with TaskOwner() as tasks:
        measured = Measured(scripted, url, root)
        tasks.start(measured.fleet.run())
        tasks.start(measured.meter.run())
        yield measured


def host(root: Path, identity: str, pid: int, cpu_usec: int) -> None:
    """A machine with cgroup v2 and one container."""
    group = root / f"sys/fs/cgroup/system.slice/docker-{identity}.scope"
    for path, text in {
        root / "proc/self/mountinfo": "30 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        root / f"proc/{pid}/cgroup": f"0::/system.slice/docker-{identity}.scope\n",
        group / "cpu.stat": f"usage_usec {cpu_usec}\nnr_periods 0\nnr_throttled 0\n",
        group / "memory.current": "4096\n",
        group / "pids.current": "3\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def test_a_container_of_this_machine_is_read_from_its_control_group(tmp_path: Path):
    scripted = ScriptedEngine()
    identity = scripted.add("web", pid=77)
    host(tmp_path, identity, 77, 1000)
    async with measuring(scripted, "unix:///run/engine.sock", tmp_path) as measured:
        measured.meter.watch([identity])
        await measured.until(lambda: identity in measured.meter.usage)
        assert measured.meter.usage[identity].memory_bytes == 4096
        assert measured.meter.usage[identity].pids == 3
        await measured.until(lambda: measured.meter.usage[identity].cpu_percent == 0.0)
        assert not any("stats" in request for request in scripted.requests)
        scripted.die("web")
        await measured.until(lambda: identity not in measured.meter.usage)


async def test_a_process_of_that_number_that_is_another_ones_is_not_taken_for_the_containers(tmp_path: Path):
    scripted = ScriptedEngine()
    identity = scripted.add("web", pid=77, memory=1234)
    host(tmp_path, "0" * 64, 77, 1000)
    async with measuring(scripted, "unix:///run/engine.sock", tmp_path) as measured:
        measured.meter.watch([identity])
        await measured.until(lambda: identity in measured.meter.usage)
        assert measured.meter.usage[identity].memory_bytes == 1234
    assert f"GET /containers/{identity}/stats" in scripted.requests


async def test_an_engine_elsewhere_is_asked_for_what_is_watched_alone():
    scripted = ScriptedEngine()
    ids = [scripted.add(f"c{number}") for number in range(10)]
    async with measuring(scripted, "tcp://far.invalid:2375") as measured:
        measured.meter.watch(ids[:2])
        await measured.until(lambda: len(measured.meter.usage) == 2)
        scripted.sample("c0", cpu_ns=SECOND // 2, memory=10**6)
        await measured.until(lambda: measured.meter.usage[ids[0]].cpu_percent is not None)
        assert measured.meter.usage[ids[0]].cpu_percent == 50.0
        assert measured.meter.usage[ids[0]].memory_bytes == 10**6
        assert measured.meter.usage[ids[0]].memory_limit is None
        measured.meter.watch(ids[5:6])
        await measured.until(lambda: set(measured.meter.usage) == set(ids[5:6]))
    assert sum("stats" in request for request in scripted.requests) == 3
    assert scripted.streams == 0


async def test_more_containers_than_streams_take_turns():
    scripted = ScriptedEngine()
    ids = [scripted.add(f"c{number}") for number in range(MAX_STREAMS + 5)]
    async with measuring(scripted, "tcp://far.invalid:2375") as measured:
        measured.meter.watch(ids)
        await measured.until(lambda: len(measured.meter.usage) == MAX_STREAMS)
        assert scripted.streams == MAX_STREAMS + 1

        def a_second_later() -> bool:
            for number in range(MAX_STREAMS + 5):
                scripted.sample(f"c{number}", cpu_ns=1, memory=1)
            return len(measured.meter.usage) == MAX_STREAMS + 5

        await measured.until(a_second_later)  # each sample is news, and news has it looked again
        assert scripted.streams <= MAX_STREAMS + 1


def sample(at_s: float, **changed: int) -> Sample:
    counters = Counters(0, 0, 0, 100, None, None, 1, 0, 0)._replace(
        **{name: value for name, value in changed.items() if name not in {"rx", "tx"}}
    )
    network = NetworkCounters(changed.get("rx", 0), changed.get("tx", 0)) if "rx" in changed else None
    return Sample(0, int(at_s * SECOND), counters, network)


def test_rates_come_of_two_samples_and_the_time_between_them():
    now = sample(2.5, cpu_ns=3 * SECOND, periods=100, throttled=25, block_read=5000, block_write=50, rx=1000, tx=10)
    got = compute_usage(now, sample(0.5, rx=0, tx=0))
    assert got.cpu_percent == pytest.approx(150)
    assert got.throttled_ratio == 0.25
    assert (got.block_read, got.block_write, got.net_rx, got.net_tx) == (2500, 25, 500, 5)


def test_one_sample_has_levels_and_no_rates():
    got = compute_usage(sample(1, cpu_ns=5), None)
    assert (got.memory_bytes, got.pids) == (100, 1)
    assert (got.cpu_percent, got.block_read, got.net_rx, got.throttled_ratio) == (None, None, None, None)


def test_counters_that_began_anew_give_no_negative_rate():
    assert compute_usage(sample(2, cpu_ns=5), sample(1, cpu_ns=9)).cpu_percent is None
    assert compute_usage(sample(2, cpu_ns=9, block_read=1), sample(1, cpu_ns=9, block_read=5)).block_read == 0


def test_a_network_that_is_the_hosts_has_no_rate():
    assert compute_usage(sample(2, cpu_ns=1), sample(1)).net_rx is None


@asynccontextmanager
async def measuring_everything(scripted: ScriptedEngine, root: Path, rest_interval_s: float) -> AsyncIterator[Measured]:
    async with TaskOwner() as tasks:
        measured = Measured(scripted, "unix:///run/engine.sock", root, rest_interval_s)
        tasks.start(measured.fleet.run())
        tasks.start(measured.meter.run())
        yield measured


async def test_containers_of_this_machine_are_measured_though_nothing_is_watched(tmp_path: Path):
    scripted = ScriptedEngine()
    ids = [scripted.add(f"c{number}", pid=70 + number) for number in range(5)]
    for number, identity in enumerate(ids):
        host(tmp_path, identity, 70 + number, 1000)
    async with measuring_everything(scripted, tmp_path, 3600) as measured:
        await measured.until(lambda: all(identity in measured.meter.usage for identity in ids))
        # The second sample, which has rates, doesn't wait for the long interval.
        await measured.until(lambda: all(use.cpu_percent == 0.0 for use in measured.meter.usage.values()))
        assert all(use.memory_bytes == 4096 and use.pids is None for use in measured.meter.usage.values())
        measured.meter.watch(ids[:1])
        await measured.until(lambda: measured.meter.usage[ids[0]].pids == 3)
        measured.meter.watch([])
        scripted.die("c1")
        await measured.until(lambda: ids[1] not in measured.meter.usage)
        assert set(measured.meter.usage) == {*ids} - {ids[1]}
        assert len(measured.meter.series[ids[0]]) >= 1
    assert not any("stats" in request for request in scripted.requests)


async def test_an_order_by_usage_has_all_containers_read_as_often_as_watched_ones(tmp_path: Path):
    scripted = ScriptedEngine()
    identity = scripted.add("busy", pid=77)
    host(tmp_path, identity, 77, 1000)
    async with measuring_everything(scripted, tmp_path, 3600) as measured:
        await measured.until(lambda: getattr(measured.meter.usage.get(identity), "cpu_percent", None) == 0.0)
        rates: list[float | None] = []
        measured.meter.subscribe(lambda: rates.append(measured.meter.usage[identity].cpu_percent))
        host(tmp_path, identity, 77, 5_000_000)
        measured.meter.watch([], ranked=True)
        await measured.until(lambda: any(rates))


async def test_containers_elsewhere_are_measured_only_while_they_are_watched():
    scripted = ScriptedEngine()
    identity = scripted.add("web")
    async with TaskOwner() as tasks:
        measured = Measured(scripted, "tcp://far.invalid:2375", Path("/"), 0.01)
        tasks.start(measured.fleet.run())
        tasks.start(measured.meter.run())
        measured.meter.watch([identity])
        await measured.until(lambda: identity in measured.meter.usage)
        measured.meter.watch([])
        assert identity not in measured.meter.usage
