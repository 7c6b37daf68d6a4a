import asyncio
import random
from collections.abc import AsyncGenerator

import pytest

from pyd_core.client.gap import Gap
from pyd_core.errors import NotFound
from pyd_core.logs.drop_oldest import drop_oldest
from pyd_core.logs.line import LogLine
from pyd_core.logs.merge import merge
from pyd_core.logs.stream import Batch, LogStream


def line(name: str, time_ns: int) -> LogLine:
    return LogLine(name, name, "stdout", time_ns, b"%d" % time_ns)


def finished(name: str, *batches: list[int]) -> LogStream:
    async def read() -> AsyncGenerator[Batch, None]:
        for batch in batches:
            yield [line(name, time_ns) for time_ns in batch]

    return LogStream(read())


class Feed:
    """A log that a test writes while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.queue: asyncio.Queue[Batch | Exception | None] = asyncio.Queue()
        self.taken = 0
        self.read = asyncio.Event()
        self.stream = LogStream(self._read())

    def write(self, *times: int) -> None:
        self.queue.put_nowait([line(self.name, time_ns) for time_ns in times])

    async def _read(self) -> AsyncGenerator[Batch, None]:
        while (batch := await self.queue.get()) is not None:
            if isinstance(batch, Exception):
                raise batch
            self.taken += len(batch)
            self.read.set()
            yield batch


async def times(stream: LogStream) -> list[int]:
    return [item.time_ns async for item in stream if isinstance(item, LogLine)]


@pytest.mark.parametrize("patience", [None, 60])
async def test_finished_logs_come_in_the_order_of_time(patience: float | None):
    sources = [finished("a", [1, 4], [9]), finished("b", [2], [3, 8]), finished("c"), finished("d", [5, 6, 7])]
    assert await times(merge(sources, max_wait_s=patience)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("patience", [None, 60])
async def test_lines_of_one_time_keep_the_order_of_their_source(patience: float | None):
    sources = [finished("a", [5, 5]), finished("b", [5])]
    got = [item.name async for item in merge(sources, max_wait_s=patience) if isinstance(item, LogLine)]
    assert got == ["a", "a", "b"]


@pytest.mark.parametrize("patience", [None, 60])
async def test_a_source_whose_clock_was_set_back_keeps_its_order(patience: float | None):
    got = await times(merge([finished("a", [10, 3, 4]), finished("b", [5, 11])], max_wait_s=patience))
    assert [time_ns for time_ns in got if time_ns in {10, 3, 4}] == [10, 3, 4]
    assert sorted(got) == [3, 4, 5, 10, 11]


async def test_a_line_waits_for_an_older_one_of_a_slow_source():
    fast, slow = Feed("fast"), Feed("slow")
    batches = merge([fast.stream, slow.stream], max_wait_s=60).batches()
    fast.write(1, 5)

    async def next_batch() -> list[LogLine | Gap]:
        return await anext(batches)

    async with asyncio.TaskGroup() as group:
        first = group.create_task(next_batch())
        await fast.read.wait()
        slow.write(3)
    assert [item.time_ns for item in first.result() if isinstance(item, LogLine)] == [1, 3]
    fast.queue.put_nowait(None)
    slow.queue.put_nowait(None)
    assert [item.time_ns async for batch in batches for item in batch if isinstance(item, LogLine)] == [5]


async def test_a_silent_source_does_not_hold_the_others_up_for_ever():
    fast, silent = Feed("fast"), Feed("silent")
    batches = merge([fast.stream, silent.stream], max_wait_s=0.01).batches()
    fast.write(1, 2)
    assert len(await anext(batches)) == 2
    silent.write(1)  # too late to be in order, and not lost
    fast.queue.put_nowait(None)
    silent.queue.put_nowait(None)
    assert [item.name async for batch in batches for item in batch if isinstance(item, LogLine)] == ["silent"]


async def test_reading_slowly_holds_the_sources_back_and_loses_nothing():
    feeds = [Feed("a"), Feed("b")]
    for start, feed in enumerate(feeds):
        for number in range(100):
            feed.write(*range(number * 2000 + start, (number + 1) * 2000 + start, 2))
        feed.queue.put_nowait(None)
    seen: list[int] = []
    async for batch in merge([feed.stream for feed in feeds]).batches():
        seen += [item.time_ns for item in batch if isinstance(item, LogLine)]
        await asyncio.sleep(0)
        assert max(feed.taken for feed in feeds) - len(seen) // 2 <= 25_000
    assert seen == list(range(200_000))


async def test_long_lines_are_held_back_by_their_bytes():
    feeds = [Feed("a"), Feed("b")]
    for feed in feeds:
        for number in range(100):
            feed.queue.put_nowait([LogLine(feed.name, feed.name, "stdout", number + 1, b"x" * 2**20)])
        feed.queue.put_nowait(None)
    seen = 0
    async for batch in merge([feed.stream for feed in feeds]).batches():
        seen += len(batch)
        await asyncio.sleep(0)
        assert sum(feed.taken for feed in feeds) - seen <= 20
    assert seen == 200


@pytest.mark.parametrize("patience", [None, 60])
async def test_the_failure_of_a_source_is_raised_after_what_came_before_it(patience: float | None):
    good, bad = Feed("good"), Feed("bad")
    good.write(1)
    good.queue.put_nowait(None)
    bad.write(2)
    bad.queue.put_nowait(NotFound("no such container"))
    items = aiter(merge([good.stream, bad.stream], max_wait_s=patience))
    assert [await anext(items), await anext(items)] == [line("good", 1), line("bad", 2)]
    with pytest.raises(NotFound):
        await anext(items)


async def test_a_gap_keeps_its_place_between_the_lines_of_its_source():
    gap = Gap(reason="cut")

    async def read() -> AsyncGenerator[Batch, None]:
        yield [line("a", 1), gap, line("a", 3)]

    got = [item async for item in merge([LogStream(read()), finished("b", [2])], max_wait_s=None)]
    assert got.index(gap) == 1
    assert got[-1] == line("a", 3)


async def test_a_slow_reader_of_the_newest_lines_is_told_how_many_it_missed():
    feed = Feed("a")
    batches = drop_oldest(feed.stream, max_lines=10).batches()
    feed.write(*range(1000))
    feed.queue.put_nowait(None)
    gap, *shown = await anext(batches)
    assert isinstance(gap, Gap)
    assert gap.lost == 990
    assert [item.time_ns for item in shown if isinstance(item, LogLine)] == list(range(990, 1000))
    assert [batch async for batch in batches] == []


async def test_the_newest_lines_are_bounded_in_bytes_as_well():
    feed = Feed("a")
    batches = drop_oldest(feed.stream, max_bytes=100_000).batches()
    feed.queue.put_nowait([LogLine("a", "a", "stdout", n, b"x" * 50_000) for n in range(100)])
    feed.queue.put_nowait(None)
    gap, *shown = await anext(batches)
    assert isinstance(gap, Gap)
    assert (gap.lost, len(shown)) == (99, 1)
    assert [batch async for batch in batches] == []


async def test_a_reader_that_keeps_up_misses_nothing_of_the_newest_lines():
    assert await times(drop_oldest(finished("a", *([n] for n in range(1000))), max_lines=1000)) == list(range(1000))


async def test_the_failure_behind_the_newest_lines_is_raised():
    feed = Feed("a")
    feed.queue.put_nowait(NotFound("no such container"))
    with pytest.raises(NotFound):
        await times(drop_oldest(feed.stream))


@pytest.mark.parametrize("seed", range(5))
async def test_lines_that_arrive_with_jitter_come_out_in_the_order_of_time(seed: int):
    chance = random.Random(seed)
    feeds = [Feed(name) for name in "abcdef"]
    written = [(step * 1_000_000, chance.choice(feeds)) for step in range(3000)]
    arriving = {feed.name: 0 for feed in feeds}
    order = []
    for time_ns, feed in written:  # up to 200 ms late, and in its source never before the line ahead of it
        arriving[feed.name] = max(arriving[feed.name], time_ns + chance.randrange(200_000_000))
        order.append((arriving[feed.name], time_ns, feed))
    assert [time_ns for _, time_ns, _ in sorted(order, key=lambda item: item[:2])] != [
        time_ns for time_ns, _ in written
    ]

    async def arrive() -> None:
        for _, time_ns, feed in sorted(order, key=lambda item: item[:2]):
            feed.write(time_ns)
            await asyncio.sleep(0)
        for feed in feeds:
            feed.queue.put_nowait(None)

    merged, _ = await asyncio.gather(times(merge([feed.stream for feed in feeds], max_wait_s=60)), arrive())
    assert merged == [time_ns for time_ns, _ in written]
