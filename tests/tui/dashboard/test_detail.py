"""What is done to a container, and to single processes of it, from the screen about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine


def one(**more: Any) -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web", **more)
    return engine


async def look(dashboard: Opened, tab: str = "") -> None:
    await dashboard.until(lambda: dashboard.shown == ["web"])
    await dashboard.press("enter", *tab)
    await dashboard.until_shown("Overview")


def changes(engine: ScriptedEngine) -> list[str]:
    return [request for request in engine.requests if not request.startswith("GET")]


@pytest.mark.parametrize(("key", "path"), [("s", "stop"), ("r", "restart"), ("p", "pause")])
async def test_keys_of_the_list_act_on_the_container_that_is_looked_at(key: str, path: str):
    engine = one()
    async with opened(engine) as dashboard:
        await look(dashboard)
        await dashboard.press(key)
        await dashboard.until(lambda: changes(engine))
        assert changes(engine) == [f"POST /containers/{engine.get('web').id}/{path}"]


async def test_its_removal_is_asked_about_and_no_is_what_escape_means():
    engine = one()
    identity = engine.get("web").id
    async with opened(engine) as dashboard:
        await look(dashboard)
        await dashboard.press("x")
        await dashboard.until_shown("Remove web? It is running, and will be killed.")
        await dashboard.press("escape")
        assert not changes(engine)
        await dashboard.press("x", "y")
        await dashboard.until(lambda: changes(engine))
        assert changes(engine) == [f"DELETE /containers/{identity}"]
        await dashboard.until_shown("removed web")


async def test_read_only_refuses_actions_and_signals_from_there_too():
    engine = one()
    endpoint = msgspec.structs.replace(engine.engine().endpoint, read_only=True)
    async with opened(engine, choose=lambda: endpoint) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")
        for key in ("s", "r", "p", "x", "K"):
            await dashboard.press(key)
            await dashboard.until_shown("read-only: nothing is changed")
        assert not changes(engine)


async def test_the_process_under_the_cursor_gets_the_signal_that_is_chosen():
    engine = one(pid=4711)
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: master process")
        await dashboard.press("K")
        await dashboard.until_shown("Send a signal to process 4711, nginx: master process")
        await dashboard.press("escape")
        assert not changes(engine)
        await dashboard.press("K", *["backspace"] * 4)
        await dashboard.type("NOPE")
        await dashboard.press("enter")
        await dashboard.until_shown("there is no signal NOPE")
        await dashboard.press(*["backspace"] * 4)
        await dashboard.type("hup")
        await dashboard.press("enter")
        await dashboard.until_shown("sent SIGHUP to 4711")
        assert changes(engine) == [f"POST /containers/{engine.get('web').id}/kill"]


async def test_a_process_out_of_reach_is_left_alone_and_that_is_said():
    engine = one(pid=4711)
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")
        await dashboard.press("j", "K", "enter")
        await dashboard.until_shown("the engine can only signal the main process")
        assert not changes(engine)


async def test_the_processes_are_asked_for_what_says_most_and_else_for_what_the_engine_shows():
    engine = one()
    engine.plain_ps = True
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")


async def test_why_there_is_no_answer_is_told_to_its_end_in_a_narrow_terminal():
    engine = one()
    path = f"/containers/{engine.get('web').id}"
    engine.refusals[f"GET {path}/changes"] = (500, "the storage driver has lost the layers of this container, sorry")
    engine.refusals[f"GET {path}/top"] = (409, "container is restarting, wait until the container is running")
    async with opened(engine, size=(60, 20)) as dashboard:
        await look(dashboard)
        await dashboard.press("7")
        await dashboard.until(lambda: "wait until the container is running" in " ".join(dashboard.text.split()))
        for _ in range(4):
            await dashboard.press("tab")
        await dashboard.until(lambda: "of this container, sorry" in " ".join(dashboard.text.split()))


async def test_events_of_before_are_told_with_those_that_come():
    engine = one(tell=True)
    engine.add("other", emit=True)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "enter", "6")
        await dashboard.until_shown("container start ")
        engine.die("web", 3)
        await dashboard.until_shown("exit 3")
        assert "other" not in dashboard.text
        assert dashboard.text.count("container start ") == 1


async def test_a_container_of_which_nothing_is_remembered_says_so():
    async with opened(one()) as dashboard:
        await look(dashboard, "6")
        await dashboard.until_shown("nothing has happened to it that the engine remembers")


async def test_the_footer_says_back_where_the_key_leads_back_and_quit_where_it_leads_out():
    async with opened(one()) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["web"])
        assert dashboard.text.splitlines()[-1].rstrip().endswith("q quit")
        for key in ("enter", "l", "2"):
            await dashboard.press(key)
            await dashboard.until(lambda: dashboard.text.splitlines()[-1].rstrip().endswith("q back"))
            await dashboard.press("q")
            await dashboard.until(lambda: dashboard.text.splitlines()[-1].rstrip().endswith("q quit"))
