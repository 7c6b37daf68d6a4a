from __future__ import annotations

from pyd_core.logs.read_before import read_before
from support.scripted_engine import START_NS, ScriptedEngine


def printed(count: int) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web")
    for number in range(count):
        engine.print("web", f"line {number}", time_ns=START_NS + number)
    return engine


async def test_pages_go_back_to_the_first_line_without_a_hole_or_a_double():
    engine = printed(2500)
    seen: list[bytes] = []
    first, start = START_NS + 2400, False
    while not start:
        lines, start = await read_before(engine.engine(), "web", before_ns=first, held_lines=100 + len(seen), count=700)
        seen = [line.data for line in lines] + seen
        first = lines[0].time_ns if lines else first
    assert seen == [f"line {number}".encode() for number in range(2400)]


async def test_a_wrong_idea_of_how_much_is_held_costs_questions_and_no_lines():
    lines, start = await read_before(printed(5000).engine(), "web", before_ns=START_NS + 1000, held_lines=0, count=100)
    assert [line.time_ns - START_NS for line in lines] == list(range(900, 1000))
    assert not start


async def test_the_beginning_is_known_for_what_it_is():
    assert await read_before(printed(10).engine(), "web", before_ns=START_NS, held_lines=10) == ([], True)
