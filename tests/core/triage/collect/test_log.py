"""The last lines of a container, and an error that lies before them."""

from __future__ import annotations

import pytest

from pyd_core.triage.collect.log import LAST_LINES, MAX_EARLIER_LINES, OVERTAKE_NS, collect
from pyd_core.triage.error_line import error_line
from pyd_core.triage.evidence import Case
from support.scripted_engine import ScriptedEngine


@pytest.fixture
def scripted() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web")
    return engine


async def lines_of(scripted: ScriptedEngine, name: str = "web") -> list[str]:
    engine = scripted.engine()
    case = Case(container=await engine.containers.inspect(name), now_ns=scripted.now_ns)
    await collect(case, engine)
    assert case.lines is not None
    error = error_line(case.lines)
    return [*(line.text for line in case.lines), f"error: {error.text if error else ''}"]


def log_requests(scripted: ScriptedEngine) -> int:
    return sum("/logs" in request for request in scripted.requests)


async def test_an_error_on_stderr_is_found_before_the_output_that_it_overtook(scripted: ScriptedEngine):
    scripted.print("web", "the widget is bent", stderr=True)
    for number in range(3000):
        scripted.print("web", str(number))
    lines = await lines_of(scripted)
    assert lines[:2] == ["the widget is bent", str(3000 - LAST_LINES)]
    assert lines[-1] == "error: the widget is bent"


async def test_a_warning_long_before_the_last_lines_is_no_error_of_theirs(scripted: ScriptedEngine):
    scripted.print("web", "no configuration, using defaults", stderr=True)
    scripted.now_ns += OVERTAKE_NS
    for number in range(LAST_LINES):
        scripted.print("web", str(number))
    assert await lines_of(scripted) == [*map(str, range(LAST_LINES)), f"error: {LAST_LINES - 1}"]


async def test_a_flood_of_stderr_before_the_last_lines_is_bounded(scripted: ScriptedEngine):
    for number in range(500):
        scripted.print("web", f"error {number}", stderr=True)
    for number in range(LAST_LINES):
        scripted.print("web", str(number))
    lines = await lines_of(scripted)
    assert len(lines) == MAX_EARLIER_LINES + LAST_LINES + 1
    assert lines[-1] == "error: error 499"


@pytest.mark.parametrize("case", ["stderr among the last lines", "all lines read", "a terminal"])
async def test_stderr_is_read_again_only_where_it_may_hold_more(scripted: ScriptedEngine, case: str):
    scripted.add("other", tty=case == "a terminal")
    for number in range(LAST_LINES - 2 if case == "all lines read" else 2 * LAST_LINES):
        scripted.print("other", str(number))
    if case == "stderr among the last lines":
        scripted.print("other", "bye", stderr=True)
    await lines_of(scripted, "other")
    assert log_requests(scripted) == 1
