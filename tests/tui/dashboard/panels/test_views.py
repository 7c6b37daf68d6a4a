"""Views other than the containers: their rows, refreshes and removals."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.logs.annotation import Annotation
from pyd_core.logs.line import LogLine
from pyd_core.model.event import Actor, Event
from pyd_core.model.image import ImageSummary
from pyd_core.model.system import DiskUsage
from pyd_core.model.volume import Volume, VolumeUsage
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.delta import Delta
from pyd_core.watch.history_store import Death, HistoryStore, Point
from pyd_tui.dashboard.engines.timeline import Timeline
from pyd_tui.dashboard.panels.views import view_at_key
from pyd_tui.dashboard.render.events import event_details
from pyd_tui.dashboard.resources.images import step
from pyd_tui.dashboard.resources.registry import RESOURCES, resource_view
from pyd_tui.dashboard.resources.system import kinds
from pyd_tui.dashboard.resources.volumes import ANONYMOUS
from pyd_tui.dashboard.screens.browse import Browse
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.widgets.table import Table
from support.dashboard import Opened, opened
from support.scripted_engine import START_NS, ScriptedEngine
from support.scripted_resources import WEB, identity

LOOKS = {
    "images": "312M",
    "networks": "172.18.0.0/16",
    "volumes": "shop_db",
    "events": "start",
    "system": "docker-1",
}


def shop() -> ScriptedEngine:
    engine = ScriptedEngine()
    endpoints = {"shop_default": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16, "DNSNames": ["web"]}}
    data = {"Type": "volume", "Name": "shop_db", "Destination": "/data", "RW": True}
    engine.add("web", image=WEB, networks=endpoints, mounts=[data], emit=True)
    engine.add("job", image="postgres:16.4", state="exited", exit_code=3)
    return engine


def request_count(engine: ScriptedEngine, path: str) -> int:
    return engine.requests.count(f"GET {path}")


async def ready(dashboard: Opened) -> None:
    await dashboard.until(lambda: len(dashboard.shown) == 2)


def browse(dashboard: Opened) -> Browse:
    screen = dashboard.app.screen
    assert isinstance(screen, Browse)
    return screen


@pytest.mark.parametrize("name", LOOKS)
async def test_digits_switch_between_views(name: str):
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press("2", str(list(LOOKS).index(name) + 2))
        await dashboard.until_shown(LOOKS[name])
        assert browse(dashboard).resource.name == name
        assert len(dashboard.app.screen_stack) == 2
        await dashboard.press("1")
        assert dashboard.app.screen is dashboard.app.screen_stack[0]


@pytest.mark.parametrize("name", LOOKS)
async def test_a_view_is_opened_by_its_name_or_a_prefix(name: str):
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press("colon")
        await dashboard.type(name[:3])
        await dashboard.press("enter")
        await dashboard.until_shown(LOOKS[name])
        assert browse(dashboard).resource.name == name


async def test_an_unknown_command_is_answered_with_all_commands():
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press("colon")
        await dashboard.type("nope")
        await dashboard.press("enter")
        assert "no such command: nope" in dashboard.message
        assert "images" in dashboard.message


@pytest.mark.parametrize(
    ("family", "views"),
    [
        ("engine", ["containers", "images", "networks", "volumes", "events", "system", "services"]),
        ("cluster", ["containers", "workloads", "services", "nodes", "events", "configmaps", "secrets"]),
        ("node", ["containers", "images", "events", "volumes", "events", "system", "services"]),
    ],
)
def test_a_key_opens_the_view_at_its_digit_of_that_family(family: str, views: list[str]):
    names = ("containers", "images", "networks", "volumes", "events", "system", "services")
    assert [view_at_key(name, family) for name in names] == views


def test_a_node_has_no_views_of_what_its_runtime_lacks():
    there = [name for name in RESOURCES if resource_view(name, "node") is not None]
    assert sorted(there) == ["deaths", "events", "images"]
    assert all(resource_view(name, "engine") is RESOURCES[name] for name in RESOURCES)


async def test_an_image_shows_its_users_and_the_command_of_each_layer():
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press("2")
        await dashboard.until_shown("dangling")
        assert "and 1 more" in dashboard.text
        await dashboard.press("slash")
        await dashboard.type("shop/web")
        await dashboard.press("enter")
        await dashboard.until_shown("RUN apt-get update")
        await dashboard.until_shown("187M")
        assert "ENV LANG=C.UTF-8" in dashboard.text
        assert "dangling" not in dashboard.text


async def test_a_network_shows_its_members_with_their_addresses():
    engine = shop()
    web = engine.get("web").id
    network = engine.documents[f"/networks/{identity('shop_default')}"]
    engine.documents[f"/networks/{identity('shop_default')}"] = {
        **network,
        "Containers": {web: {"Name": "web", "IPv4Address": "172.18.0.2/16"}},
    }
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("3", "slash")
        await dashboard.type("shop_default")
        await dashboard.press("enter")
        await dashboard.until_shown("172.18.0.2/16")


async def test_sizes_of_volumes_are_requested_only_on_demand():
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("4")
        await dashboard.until_shown("measures it")
        assert not request_count(engine, "/system/df")
        await dashboard.press("ctrl+r")
        await dashboard.until_shown("5.7G")
        assert request_count(engine, "/system/df") == 1


async def test_a_request_for_sizes_is_kept_while_the_rows_are_loading():
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        engine.hold.clear()
        await dashboard.press("4")
        await dashboard.until_shown("loading")
        await dashboard.press("ctrl+r")
        engine.hold.set()
        await dashboard.until_shown("5.7G")


async def test_past_events_are_listed_once_and_new_ones_are_added():
    engine = shop()
    engine.emit("network", "create", identity("n"), name="shop_net")
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("5")
        await dashboard.until_shown("shop_net")
        engine.die("web", 9)
        await dashboard.until_shown("exit 9")
        rows = [dashboard.app.screen.query_one("#rows", Table).keys]
        assert len(rows[0]) == len(set(rows[0])) == len(engine._past)
        await dashboard.press("slash")
        await dashboard.type("network")
        assert "exit 9" not in dashboard.text
        assert "shop_net" in dashboard.text


async def test_an_event_opens_the_log_and_the_stats_of_that_second():
    engine = shop()
    minute = 60 * 10**9
    for number in range(600):
        engine.print("web", f"line {number}", time_ns=START_NS + minute + number * 10**9)
    engine.now_ns = START_NS + 6 * minute
    engine.health("web", "unhealthy")
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("5")
        await dashboard.until_shown("unhealthy")
        rows = dashboard.app.screen.query_one("#rows", Table)
        while "health_status" not in str(rows.key):
            await dashboard.press("j")
        await dashboard.press("enter")
        await dashboard.until_shown("is unhealthy ──")
        screen = dashboard.app.screen
        assert isinstance(screen, LogScreen)
        assert screen.view.cursor is not None
        here = screen.book.store[screen.view.cursor]
        assert isinstance(here, Annotation)
        lines = [item.data for _, item in screen.book.store.scan(screen.book.store.first) if isinstance(item, LogLine)]
        assert lines[0] == b"line 181"
        assert b"line 420" in lines, "it reads on from there"
        assert "around 22:19:20" in dashboard.text
        await dashboard.press("q", "m")
        await dashboard.until_shown("the event")
        assert "Last 6h" in dashboard.text
        await dashboard.press("q")
        assert browse(dashboard).resource.name == "events"


async def test_a_view_is_refreshed_by_events_of_its_kind_and_never_otherwise():
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("2")
        await dashboard.until_shown("RUN apt-get update")
        link, job = dashboard.app.link, engine.get("job").id
        await dashboard.until(lambda: link.verdicts.of(link.containers[job]))
        await dashboard.pilot.pause(0.3)
        before = len(engine.requests)
        engine.emit("network", "connect", identity("n"), name="shop_net")
        await dashboard.until(lambda: dashboard.app.timeline.items)
        await dashboard.pilot.pause(0.5)
        assert len(engine.requests) == before
        engine.documents["/images/json"] = []
        for _ in range(20):
            engine.emit("image", "delete", f"sha256:{identity('x')}")
        await dashboard.until_shown("no images")
        assert request_count(engine, "/images/json") <= 3


async def test_prune_lists_what_it_removes_asks_once_and_removes_exactly_that():
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("2")
        await dashboard.until_shown("dangling")
        await dashboard.press("P")
        await dashboard.until_shown("Prune 2 unused images? That frees up to 375M")
        assert identity("left over")[:12] in dashboard.text
        await dashboard.press("y")
        await dashboard.until_shown("removed 2")
        gone = [request for request in engine.requests if request.startswith("DELETE")]
        assert sorted(gone) == sorted(
            f"DELETE /images/sha256%3A{identity(name)}" for name in ("left over", "left over too")
        )


async def test_a_failed_removal_is_reported():
    engine = shop()
    engine.refusals["DELETE /volumes/shop_db"] = (409, "volume is in use")
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("4")
        await dashboard.until_shown("shop_db")
        await dashboard.press("x")
        assert "Remove shop_db?" in dashboard.text
        await dashboard.press("y")
        await dashboard.until(lambda: "volume is in use" in dashboard.message)


async def test_system_shows_the_size_of_each_kind_and_what_prune_would_remove():
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("6")
        await dashboard.until_shown("1.2G")
        assert "Debian GNU/Linux 13" in dashboard.text
        await dashboard.press("j")
        await dashboard.until_shown(" job")
        assert " 1 unused" in dashboard.text


async def test_prune_says_that_unused_volumes_with_a_name_stay():
    engine = ScriptedEngine()
    engine.add("web")
    engine.documents["/volumes"] = {"Volumes": [{"Name": "shop_db", "Driver": "local"}]}
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        await dashboard.press("4")
        await dashboard.until_shown("shop_db")
        await dashboard.press("P")
        await dashboard.until_shown("unused volumes with a name stay")


async def test_prune_on_the_engine_removes_what_is_unused_of_every_kind():
    engine = shop()
    job = engine.get("job").id
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("6")
        await dashboard.until_shown("1.2G")
        await dashboard.press("P")
        await dashboard.until_shown("job")
        await dashboard.press("y")
        await dashboard.until(lambda: f"DELETE /containers/{job}" in engine.requests)


def test_the_unused_size_is_what_prune_removes_and_the_rest_is_named():
    images = [
        ImageSummary(id="a", repo_tags=["app:1"], size=100, shared_size=0),
        ImageSummary(id="b", repo_tags=[], size=7, shared_size=2),
    ]
    volumes = [
        Volume(name="named", usage_data=VolumeUsage(size=40, ref_count=0)),
        Volume(name="x", labels={ANONYMOUS: ""}, usage_data=VolumeUsage(size=3, ref_count=0)),
    ]
    of = {kind.name: kind for kind in kinds(DiskUsage(images=images, volumes=volumes))}
    assert (of["images"].free, of["images"].kept, of["images"].kept_size) == (5, 1, 100)
    assert (of["volumes"].free, of["volumes"].kept, of["volumes"].kept_size) == (3, 1, 40)
    assert of["images"].note == "prune keeps 1 unused tagged image (100B); x removes it"


def test_events_of_networks_name_the_container():
    attributes = {"name": "front", "container": "c" * 64}
    event = Event(type="network", action="connect", actor=Actor(id="n", attributes=attributes), time_nano=1)
    timeline = Timeline()
    timeline.apply(Delta(events=(event,)), {"c" * 64: "web"})
    assert [event_details(item) for item in timeline.items if isinstance(item, Event)] == [["web"]]
    assert event_details(event) == ["c" * 12]


@pytest.mark.parametrize("name", LOOKS)
async def test_a_lost_engine_dims_rows_and_a_view_opened_then_shows_why(name: str):
    engine = shop()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        engine.cut(down=True)
        await dashboard.until_shown("no engine")
        await dashboard.press(str(list(LOOKS).index(name) + 2))
        await dashboard.until_shown("no engine answers at the scripted socket")
        engine.down = False
        await dashboard.until_shown(LOOKS[name])


async def test_hostile_names_of_objects_are_shown_escaped():
    engine = shop()
    engine.documents["/volumes"] = {"Volumes": [{"Name": "\x1b[2Jv\x07[red]x[/red]", "Driver": "lo\x9bcal"}]}
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("4")
        await dashboard.until_shown("[red]x[/red]")
        assert not {"\x1b", "\x07", "\x9b"} & set(dashboard.text)


@pytest.mark.parametrize("name", LOOKS)
async def test_every_view_can_be_drawn_in_every_size(name: str):
    async with opened(shop(), size=(200, 50)) as dashboard:
        await ready(dashboard)
        await dashboard.press(str(list(LOOKS).index(name) + 2))
        await dashboard.until_shown(LOOKS[name])
        for size in ((80, 24), (60, 20), (20, 5), (3, 2)):
            await dashboard.resize(*size)
            await dashboard.pilot.pause()
            assert all(len(line) <= size[0] for line in dashboard.text.split("\n"))


@pytest.mark.parametrize(
    ("made_by", "command"),
    [
        ('/bin/sh -c #(nop)  CMD ["app"]', 'CMD ["app"]'),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c make all # buildkit", "RUN make all"),
        ("COPY . /app # buildkit", "COPY . /app"),
        ("", ""),
    ],
)
def test_a_layer_shows_its_command_as_in_a_dockerfile(made_by: str, command: str):
    assert step(made_by) == command


def test_an_untagged_image_is_named_by_its_id():
    from pyd_tui.dashboard.render.figures import Clock
    from pyd_tui.dashboard.resources.images import row

    image = row(ImageSummary(id=f"sha256:{'ab' * 32}", repo_tags=["<none>:<none>"]), [], Clock())
    assert image.name == "abababababab"
    assert image.cells[0][-1].text == "dangling"


async def test_recorded_deaths_are_listed_even_of_removed_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "history.db"))
    store = HistoryStore(tmp_path / "history.db")
    verdict = Verdict(name="gone", cause="oom-killed", confidence=0.98, summary="gone used it up", severity="broken")
    ended = START_NS + 60 * 10**9
    deaths = [
        Death(
            name="gone",
            container="g",
            started_ns=ended_ns - 10**9,
            ended_ns=ended_ns,
            code=137,
            verdict=verdict,
            lines=("bye",),
        )
        for ended_ns in (ended, ended + 2 * 10**9, ended + 4 * 10**9)
    ]
    store.add(deaths, [Point(ended // 10**9, "g", 1, 4096), Point(ended // 10**9 + 3, "g", 1, 8192)])
    store.close()
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press(":", *"deaths", "enter")
        await dashboard.until_shown("oom-killed")
        await dashboard.until_shown("3 deaths in 4.0 s, each about 1.0 s after its start")
        assert dashboard.text.count("oom-killed") >= 3


async def test_without_a_history_the_deaths_view_shows_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "none.db"))
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press(":", *"deaths", "enter")
        await dashboard.until_shown("no recorded deaths")


async def test_a_bulk_removal_reports_each_outcome_and_retries_failures():
    engine = shop()
    refused = f"DELETE /images/sha256%3A{identity('left over')}"
    engine.refusals[refused.replace("%3A", ":")] = (409, "image is in use elsewhere")
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("2")
        await dashboard.until_shown("dangling")
        await dashboard.press("P", "y")
        await dashboard.until_shown("1 of 2 failed; removed the other one")
        assert "image is in use elsewhere" in dashboard.text
        engine.refusals.clear()
        before = len(engine.requests)
        await dashboard.press("r")
        await dashboard.until_shown("removed ")
        assert [request for request in engine.requests[before:] if request.startswith("DELETE")] == [refused]


async def test_events_can_neither_be_removed_nor_marked():
    async with opened(shop()) as dashboard:
        await ready(dashboard)
        await dashboard.press("5")
        await dashboard.until_shown("start")
        assert "mark" not in dashboard.text.splitlines()[-1]
        await dashboard.press("space", "asterisk")
        assert not browse(dashboard).table.marked
