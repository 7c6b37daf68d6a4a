from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from pyd_core.client.gap import Gap
from pyd_core.errors import EngineUnavailable, NotFound, StreamInterrupted
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from support.scripted_engine import START_NS, ScriptedEngine


@pytest.fixture
def scripted() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web")
    return engine


def data(item: LogLine | Gap) -> bytes:
    assert isinstance(item, LogLine)
    return item.data


async def take(items: AsyncIterator[LogLine | Gap], count: int) -> list[bytes]:
    return [data(await anext(items)) for _ in range(count)]


async def read(engine: ScriptedEngine, name: str = "web", **options: int | bool | None) -> list[bytes]:
    return [data(item) async for item in follow(engine.engine(), name, **options)]  # type: ignore[arg-type]


async def test_a_log_is_read_to_its_end(scripted: ScriptedEngine):
    scripted.print("web", "one")
    scripted.print("web", "two", stderr=True)
    lines = [item async for item in follow(scripted.engine(), "web")]
    identity = scripted.get("web").id
    assert lines == [
        LogLine(identity, "web", "stdout", START_NS + 1_000_000, b"one"),
        LogLine(identity, "web", "stderr", START_NS + 2_000_000, b"two"),
    ]


async def test_tail_since_and_until_choose_lines(scripted: ScriptedEngine):
    for number in range(5):
        scripted.print("web", str(number))
    ms = 1_000_000
    assert await read(scripted, tail=2) == [b"3", b"4"]
    assert await read(scripted, since=START_NS + 3 * ms) == [b"2", b"3", b"4"]
    assert await read(scripted, until=START_NS + 2 * ms) == [b"0", b"1"]


async def test_a_terminals_log_is_read_without_framing(scripted: ScriptedEngine):
    scripted.add("tty", tty=True)
    scripted.print("tty", "prompt")
    assert await read(scripted, "tty") == [b"prompt"]


async def test_following_ends_with_the_container_where_restarts_are_not_wanted(scripted: ScriptedEngine):
    scripted.print("web", "bye")
    items = aiter(follow(scripted.engine(), "web", follow=True, restarts=False))
    assert await take(items, 1) == [b"bye"]
    scripted.die("web")
    assert [item async for item in items] == []


async def test_following_goes_on_through_a_restart_with_nothing_twice(scripted: ScriptedEngine):
    same = START_NS + 1000
    scripted.print("web", "one", time_ns=same)
    scripted.print("web", "one", time_ns=same)
    async with aclosing(follow(scripted.engine(), "web", follow=True)) as stream:
        items = aiter(stream)
        assert await take(items, 2) == [b"one", b"one"]
        scripted.die("web", 1)
        scripted.print("web", "one", time_ns=same)
        scripted.start("web")
        scripted.print("web", "after")
        assert await take(items, 2) == [b"one", b"after"]


async def test_following_ends_when_the_container_is_removed(scripted: ScriptedEngine):
    items = aiter(follow(scripted.engine(), "web", follow=True))
    scripted.print("web", "only")
    assert await take(items, 1) == [b"only"]
    scripted.remove("web")
    assert [item async for item in items] == []
    assert scripted.streams == 0


async def test_a_cut_is_mended_with_nothing_twice_and_nothing_lost_and_is_stated(scripted: ScriptedEngine):
    async with aclosing(follow(scripted.engine(), "web", follow=True)) as stream:
        items = aiter(stream)
        scripted.print("web", "before")
        assert await take(items, 1) == [b"before"]
        scripted.cut()
        for number in range(3):
            scripted.print("web", f"meanwhile {number}")
        gap = await anext(items)
        assert isinstance(gap, Gap)
        assert gap.lost == 0
        assert await take(items, 3) == [b"meanwhile 0", b"meanwhile 1", b"meanwhile 2"]


async def test_a_gap_whose_end_was_rotated_away_does_not_claim_to_know(scripted: ScriptedEngine):
    async with aclosing(follow(scripted.engine(), "web", follow=True)) as stream:
        items = aiter(stream)
        scripted.print("web", "before")
        assert await take(items, 1) == [b"before"]
        scripted.cut()
        scripted.get("web").log.clear()
        scripted.print("web", "after")
        gap = await anext(items)
        assert isinstance(gap, Gap)
        assert gap.lost is None
        assert await take(items, 1) == [b"after"]


async def test_an_engine_that_is_away_for_a_while_is_asked_again(scripted: ScriptedEngine):
    async with aclosing(follow(scripted.engine(), "web", follow=True)) as stream:
        items = aiter(stream)
        scripted.print("web", "before")
        assert await take(items, 1) == [b"before"]
        scripted.cut(down=True)
        scripted.refuse(3)
        scripted.print("web", "after")
        assert isinstance(await anext(items), Gap)
        assert await take(items, 1) == [b"after"]


async def test_a_log_that_cannot_be_read_at_all_is_an_error(scripted: ScriptedEngine):
    with pytest.raises(NotFound):
        await read(scripted, "nobody")
    scripted.down = True
    with pytest.raises(EngineUnavailable):
        await read(scripted, follow=True)


async def test_a_cut_while_only_reading_is_an_error(scripted: ScriptedEngine):
    scripted.print("web", "one")
    items = aiter(follow(scripted.engine(), "web"))
    scripted.cut_next = True
    with pytest.raises(StreamInterrupted):
        [item async for item in items]


async def test_an_unfinished_line_is_not_joined_with_the_next_run(scripted: ScriptedEngine):
    async with aclosing(follow(scripted.engine(), "web", follow=True)) as stream:
        items = aiter(stream)
        scripted.print("web", "no newline", end=b"")
        scripted.print("web", "never mind")
        assert await take(items, 1) == [b"no newlinenever mind"]
        scripted.print("web", "again no newline", end=b"")
        scripted.die("web")
        assert await take(items, 1) == [b"again no newline"]
        scripted.start("web")
        scripted.print("web", "second run")
        assert await take(items, 1) == [b"second run"]
