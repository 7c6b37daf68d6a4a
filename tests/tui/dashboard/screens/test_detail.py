"""Actions on a container and its processes from its details."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine


def single(**more: Any) -> ScriptedEngine:
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
async def test_keys_of_the_list_act_on_the_container_on_screen(key: str, path: str):
    engine = single()
    async with opened(engine) as dashboard:
        await look(dashboard)
        await dashboard.press(key)
        if key == "r":  # can't be undone
            assert not changes(engine)
            await dashboard.press("y")
        await dashboard.until(lambda: changes(engine))
        assert changes(engine) == [f"POST /containers/{engine.get('web').id}/{path}"]


async def test_removal_from_the_details_asks_and_escape_means_no():
    engine = single()
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


async def test_read_only_refuses_actions_and_signals_from_the_details():
    engine = single()
    endpoint = msgspec.structs.replace(engine.engine().endpoint, read_only=True)
    async with opened(engine, choose=lambda: endpoint) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")
        for key in ("s", "r", "p", "x", "K"):
            await dashboard.press(key)
            await dashboard.until_shown("read-only: nothing is changed")
        assert not changes(engine)


async def test_the_process_under_the_cursor_gets_the_chosen_signal():
    engine = single(pid=4711)
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


async def test_a_process_out_of_reach_gets_no_signal_and_an_error_is_shown():
    engine = single(pid=4711)
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")
        await dashboard.press("j", "K", "enter")
        await dashboard.until_shown("the engine can only signal the main process")
        assert not changes(engine)


async def test_processes_are_listed_with_the_best_columns_the_engine_supports():
    engine = single()
    engine.plain_ps = True
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")


async def test_an_error_is_shown_in_full_in_a_narrow_terminal():
    engine = single()
    path = f"/containers/{engine.get('web').id}"
    engine.refusals[f"GET {path}/changes"] = (500, "the storage driver has lost the layers of this container, sorry")
    engine.refusals[f"GET {path}/top"] = (500, "the process table of this container can't be read, sorry")
    async with opened(engine, size=(60, 20)) as dashboard:
        await look(dashboard)
        await dashboard.press("7")
        await dashboard.until(lambda: "container can't be read, sorry" in " ".join(dashboard.text.split()))
        for _ in range(4):
            await dashboard.press("tab")
        await dashboard.until(lambda: "of this container, sorry" in " ".join(dashboard.text.split()))


async def test_a_container_between_two_runs_has_no_processes_and_no_error():
    engine = single()
    path = f"/containers/{engine.get('web').id}"
    engine.refusals[f"GET {path}/top"] = (409, "container is restarting, wait until the container is running")
    async with opened(engine, size=(60, 20)) as dashboard:
        await look(dashboard)
        await dashboard.press("7")
        await dashboard.until_shown("no processes while the container isn't running")
        assert "restarting" not in dashboard.text


async def test_the_events_of_a_container_leave_out_its_name():
    engine = single(emit=True)
    async with opened(engine, size=(60, 20)) as dashboard:
        await look(dashboard)
        await dashboard.press("6")
        engine.die("web", 137)
        await dashboard.until_shown("exit 137")
        (line,) = [line for line in dashboard.text.splitlines() if "exit 137" in line]
        assert "web" not in line
        assert line.split()[-2:] == ["exit", "137"]


async def test_past_events_are_shown_with_new_ones():
    engine = single(emit=True)
    engine.add("other", emit=True)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "enter", "6")
        await dashboard.until_shown("container started ")
        engine.die("web", 3)
        await dashboard.until_shown("exit 3")
        assert "other" not in dashboard.text
        assert dashboard.text.count("container started ") == 1


async def test_a_container_without_past_events_says_so():
    async with opened(single()) as dashboard:
        await look(dashboard, "6")
        await dashboard.until_shown("the engine has no events of this container")


async def test_the_footer_shows_back_or_quit_depending_on_the_screen():
    async with opened(single()) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["web"])
        assert dashboard.text.splitlines()[-1].rstrip().endswith("q quit")
        for key in ("enter", "l", "2"):
            await dashboard.press(key)
            await dashboard.until(lambda: dashboard.text.splitlines()[-1].rstrip().endswith("q back"))
            await dashboard.press("q")
            await dashboard.until(lambda: dashboard.text.splitlines()[-1].rstrip().endswith("q quit"))


async def test_processes_show_how_old_they_are_and_are_read_again_when_the_container_ends():
    engine = single()
    async with opened(engine) as dashboard:
        await look(dashboard, "7")
        await dashboard.until_shown("nginx: worker process")
        assert re.search(r"as of \d\d:\d\d:\d\d  \^r", dashboard.text)
        count = sum(request.endswith("/top") for request in engine.requests)
        engine.die("web", 1)
        await dashboard.until(lambda: sum(request.endswith("/top") for request in engine.requests) > count)


async def test_probe_results_follow_each_probe():
    engine = single(health="unhealthy", probes=[(1, "refused")])
    async with opened(engine) as dashboard:
        await look(dashboard)
        await dashboard.press("shift+tab")
        await dashboard.until_shown("failed, exit code 1")
        assert re.search(r"as of \d\d:\d\d:\d\d  \^r", dashboard.text)
        engine.get("web").probes += [(1, "refused"), (1, "refused")]
        engine.emit_of(engine.get("web"), "exec_die", execID="x", exitCode="1")
        await dashboard.until(lambda: dashboard.text.count("failed, exit code 1") == 3)
