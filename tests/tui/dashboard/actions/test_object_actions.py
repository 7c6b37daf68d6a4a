"""Actions on images, networks and volumes, and the user's own commands on several objects."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.model.container import ContainerSummary
from pyd_core.model.volume import Volume
from pyd_tui.config.settings import UserCommand, UserSettings
from pyd_tui.dashboard.actions.catalogue import limits
from pyd_tui.dashboard.actions.image_actions import run_body
from pyd_tui.dashboard.resources.base import LoadContext
from pyd_tui.dashboard.resources.volume_access import DiskFiles, open_volume
from pyd_tui.dashboard.screens.menu import Menu
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import Opened, opened, three

ANSWERS = {"name": "", "command": "", "env": "", "ports": "", "memory": "", "restart": ""}


def menu(dashboard: Opened) -> Menu:
    screen = dashboard.app.screen
    assert isinstance(screen, Menu)
    return screen


async def test_the_menu_of_an_image_tags_pushes_runs_and_searches():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.press("2")
        await dashboard.until_shown("USED BY")
        await dashboard.until_shown("Layers, newest first")
        await dashboard.press("full_stop")
        texts = [entry.text for entry in menu(dashboard).entries]
        assert {"run a new container of it", "tag it", "search the public registry"} <= set(texts)
        await dashboard.press("t")
        await dashboard.until_shown("Tag postgres:16.4")
        await dashboard.type("new:2")
        await dashboard.press("enter")
        await dashboard.until(lambda: any("/tag" in request for request in engine.requests))
        await dashboard.press("full_stop", "p")
        await dashboard.until_shown("Push postgres:16.4 to docker.io?")
        await dashboard.press("n")
        assert not any("/push" in request for request in engine.requests)


async def test_containers_are_connected_to_a_network_and_disconnected_after_asking():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("3")
        await dashboard.until_shown("SUBNET")
        await dashboard.until_shown("shop_default")
        await dashboard.press("full_stop", "c")
        await dashboard.until_shown("Connect to ")
        await dashboard.press("enter")
        await dashboard.until(lambda: any(request.endswith("/connect") for request in engine.requests))


def test_a_new_container_gets_what_the_form_says():
    body = run_body("web:1", ANSWERS | {"command": "run 'a b'", "env": "A=1", "ports": "8080:80", "memory": "64m"})
    assert (body.image, body.cmd, body.env) == ("web:1", ["run", "a b"], ["A=1"])
    assert body.host_config.memory == 64 << 20
    assert list(body.host_config.port_bindings) == ["80/tcp"]


@pytest.mark.parametrize("wrong", [{"env": "A"}, {"ports": "x"}, {"command": "'"}, {"memory": "much"}])
def test_a_form_with_a_mistake_creates_nothing(wrong: dict[str, str]):
    with pytest.raises(InvalidInput):
        run_body("web:1", ANSWERS | wrong)


def test_a_limit_that_docker_refuses_is_refused_in_plain_words():
    with pytest.raises(InvalidInput, match="memory=1k is too small") as error:
        limits(["memory=1k"])
    assert error.value.hint == "Docker needs at least 6 MB"


async def test_links_in_a_volume_never_lead_out_of_it(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("the host's")
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "absolute").symlink_to(secret)
    (volume / "relative").symlink_to("../secret")
    (volume / "data").write_text("its own")
    engine = three()
    async with opened(engine, choose=lambda: engine.engine(f"unix://{tmp_path}/engine.sock").endpoint) as dashboard:
        await dashboard.until(lambda: dashboard.app.link.engine is not None)
        context = LoadContext(dashboard.app.link, dashboard.app.clock)
        access = open_volume(context, Volume(name="data", mountpoint=str(volume)), [])
        assert isinstance(access.files, DiskFiles)
        assert access.target is None
        assert await access.files.read("/data", 100) == b"its own"
        for name in ("/absolute", "/relative", "/../secret"):
            with pytest.raises(NotFound):
                await access.files.read(name, 100)


async def test_a_volume_elsewhere_is_read_through_a_container_that_mounts_it():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: dashboard.app.link.engine is not None)
        context = LoadContext(dashboard.app.link, dashboard.app.clock)
        volume = Volume(name="data", mountpoint="/var/lib/docker/volumes/data/_data")
        with pytest.raises(NotFound, match="can't be read from here"):
            open_volume(context, volume, [ContainerSummary(id="1")])


async def test_own_commands_act_on_all_marked_containers_and_on_rows_of_every_view():
    show = f"{sys.executable} -c 'import sys; print(*sys.argv[1:])' got {{name}}"
    commands = (UserCommand(name="show", key="f7", run=show, where="pane", changes=False),)
    beginning = StartupState(settings=UserSettings(commands=commands))
    async with opened(three(), beginning=beginning) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)
        await dashboard.press("space", "space", "f7")
        await dashboard.until_shown("got db")
        await dashboard.until_shown("got web")
        await dashboard.press("escape", "escape", "4")
        await dashboard.until_shown("shop_db")
        await dashboard.until_shown("Used by")
        await dashboard.press("f7")
        await dashboard.until_shown("got ")
