import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pyd_core.errors import EngineUnavailable
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.delta import Delta
from support.scripted_engine import ScriptedEngine


class Watched:
    def __init__(self, fleet: ContainerWatcher) -> None:
        self.fleet = fleet
        self.deltas: list[Delta] = []
        self._news = asyncio.Event()
        fleet.subscribe(self._on_delta)

    def _on_delta(self, delta: Delta) -> None:
        self.deltas.append(delta)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def state(self, state: str) -> None:
        await self.until(lambda: self.fleet.connection.state == state)

    async def detailed(self) -> None:
        await self.state("live")
        await self.until(lambda: all(entry.detailed for entry in self.fleet.containers.values()))

    @property
    def actions(self) -> list[str]:
        return [event.action for delta in self.deltas for event in delta.events]


@asynccontextmanager
async def watching(scripted: ScriptedEngine) -> AsyncIterator[Watched]:
    async with TaskOwner() as tasks:
        watched = Watched(ContainerWatcher(scripted.engine()))
        tasks.start(watched.fleet.run())
        yield watched


def inspects(scripted: ScriptedEngine) -> int:
    return sum(item.endswith("/json") and item.count("/") == 3 for item in scripted.requests)


async def test_it_subscribes_before_it_lists():
    scripted = ScriptedEngine()
    async with watching(scripted) as watched:
        await watched.state("live")
    assert scripted.requests == ["GET /_ping", "GET /events", "GET /containers/json"]


async def test_the_list_is_shown_before_anything_is_inspected():
    scripted = ScriptedEngine()
    for number in range(200):
        scripted.add(f"c{number}")
    async with watching(scripted) as watched:
        await watched.until(lambda: bool(watched.deltas))
        assert len(watched.deltas[0].changed) == 200
        assert inspects(scripted) == 0
        await watched.detailed()
        assert inspects(scripted) == 200
        assert scripted.most_inspects_at_once <= 4


async def test_whoever_wants_the_list_alone_has_nothing_inspected_until_it_looks_closely():
    scripted = ScriptedEngine()
    for number in range(3):
        scripted.add(f"c{number}")
    fleet = ContainerWatcher(scripted.engine(), inspect=False)
    watched = Watched(fleet)
    async with TaskOwner() as tasks:
        tasks.start(fleet.run())
        await watched.state("live")
        scripted.start("c0")  # which an inspection would have to tell more of
        await watched.until(lambda: "start" in watched.actions)
        assert inspects(scripted) == 0
        fleet.enable_inspect()
        await watched.detailed()


async def test_nothing_is_asked_while_nothing_happens():
    scripted = ScriptedEngine()
    identity = scripted.add("web", health="healthy")
    async with watching(scripted) as watched:
        await watched.detailed()
        before = list(scripted.requests)
        for action in ("exec_create: sh", "exec_start: sh", "exec_die", "top", "attach", "kill", "resize"):
            scripted.emit_of(scripted.get("web"), action)
        scripted.health("web", "unhealthy")
        scripted.pause("web")
        scripted.rename("web", "site")
        await watched.until(lambda: "rename" in watched.actions)
        assert scripted.requests == before
        entry = watched.fleet.containers[identity]
    assert (entry.name, entry.state, entry.health) == ("site", "paused", "unhealthy")


async def test_a_death_is_told_with_its_exit_code_by_the_event_alone():
    scripted = ScriptedEngine()
    identity = scripted.add("web")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.hold.clear()  # no answer to any inspect
        scripted.die("web", 42)
        await watched.until(lambda: watched.fleet.containers[identity].state == "exited")
        entry = watched.fleet.containers[identity]
        scripted.hold.set()
    finished_ns = scripted.get("web").finished_ns
    assert finished_ns is not None
    assert (entry.exit_code, entry.pid, entry.finished_ns) == (42, 0, finished_ns + 1_000_000)


async def test_a_thousand_events_make_one_delta_and_one_inspect_a_container():
    scripted = ScriptedEngine()
    for number in range(10):
        scripted.add(f"c{number}")
    async with watching(scripted) as watched:
        await watched.detailed()
        deltas, before = len(watched.deltas), inspects(scripted)
        for number in range(500):
            scripted.die(f"c{number % 10}", number)
            scripted.start(f"c{number % 10}")
        await watched.until(lambda: len(watched.actions) == 1000)
        assert len(watched.deltas) == deltas + 1
        await watched.until(lambda: inspects(scripted) == before + 10)
        await watched.detailed()
    assert {entry.state for entry in watched.fleet.containers.values()} == {"running"}
    assert inspects(scripted) == before + 10


async def test_an_inspect_overtaken_by_an_event_is_asked_again():
    scripted = ScriptedEngine()
    identity = scripted.add("web", state="exited")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.start("web")
        await watched.until(lambda: watched.fleet.containers[identity].state == "running")
        scripted.die("web", 3)
        await watched.until(lambda: watched.fleet.containers[identity].state == "exited")
        scripted.get("web").oom_killed = True
        scripted.emit_of(scripted.get("web"), "update")
        await watched.until(lambda: watched.fleet.containers[identity].oom_killed)
        assert watched.fleet.containers[identity].exit_code == 3


async def test_a_container_that_removes_itself_goes():
    scripted = ScriptedEngine()
    async with watching(scripted) as watched:
        await watched.state("live")
        identity = scripted.add("job", emit=True)
        await watched.until(lambda: identity in watched.fleet.containers)
        scripted.die("job")
        scripted.remove("job")
        await watched.until(lambda: identity not in watched.fleet.containers)
        assert identity in watched.deltas[-1].removed


async def test_running_out_of_memory_is_noted_with_its_time():
    scripted = ScriptedEngine()
    identity = scripted.add("web")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.emit_of(scripted.get("web"), "oom")
        await watched.until(lambda: "oom" in watched.actions)
        assert watched.fleet.containers[identity].oom_ns == scripted.now_ns


async def test_after_a_cut_every_event_is_there_once_and_the_gap_is_stated():
    scripted = ScriptedEngine()
    for number in range(100):
        scripted.add(f"c{number}")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.pause("c0")
        await watched.until(lambda: watched.actions == ["pause"])
        requested = inspects(scripted)
        scripted.cut()
        for number in range(1, 100):
            scripted.pause(f"c{number}")
        await watched.state("lost")
        assert isinstance(watched.fleet.connection.error, EngineUnavailable)
        await watched.state("live")
        await watched.until(lambda: len(watched.actions) >= 100)
    assert watched.actions == ["pause"] * 100
    assert [delta.gap.lost for delta in watched.deltas if delta.gap] == [0]
    assert inspects(scripted) == requested
    assert {entry.state for entry in watched.fleet.containers.values()} == {"paused"}


async def test_after_a_restart_of_the_engine_the_list_decides_and_nobody_claims_to_know_the_loss():
    scripted = ScriptedEngine()
    for name in ("stays", "goes", "dies"):
        scripted.add(name)
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.pause("stays")
        await watched.until(lambda: watched.actions == ["pause"])
        scripted.cut(down=True)
        await watched.state("lost")
        scripted.die("dies", 9)
        scripted.remove("goes")
        scripted.add("comes")
        scripted.forget_events()
        scripted.down = False
        await watched.state("live")
        states = {entry.name: entry.state for entry in watched.fleet.containers.values()}
        assert states == {"stays": "paused", "dies": "exited", "comes": "running"}
        assert [delta.gap.lost for delta in watched.deltas if delta.gap] == [None]
        await watched.detailed()


async def test_more_events_than_the_engine_remembers_are_a_stated_loss():
    scripted = ScriptedEngine()
    scripted.add("web")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.pause("web")
        await watched.until(lambda: watched.actions == ["pause"])
        scripted.cut(down=True)
        await watched.state("lost")
        for _ in range(300):
            scripted.health("web", "healthy")
        scripted.down = False
        await watched.state("live")
    assert [delta.gap.lost for delta in watched.deltas if delta.gap] == [None]


async def test_the_engines_clock_set_back_breaks_nothing():
    scripted = ScriptedEngine()
    scripted.add("web")
    async with watching(scripted) as watched:
        await watched.detailed()
        scripted.pause("web")
        await watched.until(lambda: "pause" in watched.actions)
        scripted.now_ns -= 3600 * 10**9
        scripted.unpause("web")
        await watched.until(lambda: "unpause" in watched.actions)
        scripted.cut()
        await watched.state("lost")
        scripted.pause("web")
        await watched.until(lambda: watched.actions == ["pause", "unpause", "pause"])


async def test_no_engine_at_first_is_waited_for():
    scripted = ScriptedEngine()
    scripted.add("web")
    scripted.down = True
    async with watching(scripted) as watched:
        await watched.state("lost")
        assert watched.fleet.containers == {}
        scripted.down = False
        await watched.state("live")
        assert len(watched.fleet.containers) == 1
        assert all(delta.gap is None for delta in watched.deltas)


async def test_ten_thousand_containers_with_hostile_names_are_listed():
    scripted = ScriptedEngine()
    for number in range(10_000):
        scripted.add(f"\x1b[2J[bold]\u202e{number}", labels={"com.docker.compose.project": "\x1b]52;c;\x07"})
    async with watching(scripted) as watched:
        await watched.state("live")
        assert len(watched.fleet.containers) == 10_000


async def test_nothing_is_left_open_when_it_ends():
    scripted = ScriptedEngine()
    for number in range(50):
        scripted.add(f"c{number}")
    async with watching(scripted) as watched:
        await watched.state("live")
    assert scripted.streams == 0
