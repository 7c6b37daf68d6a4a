"""The choice of columns, by key, by mouse and from the settings."""

from __future__ import annotations

from pathlib import Path

from pyd_tui.config.reader import read_settings
from pyd_tui.config.settings import UserSettings
from pyd_tui.dashboard.screens.columns import ColumnChooser
from pyd_tui.dashboard.startup.settings_check import problems
from pyd_tui.dashboard.startup.startup_state import StartupState
from pyd_tui.dashboard.widgets.block import TextBlock
from support.dashboard import Opened, opened, three


def headings(dashboard: Opened) -> list[str]:
    line = next(line for line in dashboard.text.splitlines() if "NAME" in line)
    return line.split()


async def test_columns_of_the_settings_are_shown_in_their_order():
    settings = UserSettings(columns={"containers": ("name", "image", "state"), "volumes": ("driver", "name")})
    async with opened(three(), beginning=StartupState(settings=settings)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.until_shown("NAME")
        assert headings(dashboard)[:3] == ["NAME", "IMAGE", "STATE"]
        assert "UP" not in headings(dashboard)
        await dashboard.press("4")
        await dashboard.until_shown("shop_db")
        assert headings(dashboard)[:2] == ["DRIVER", "NAME"]


async def test_keys_hide_and_move_columns_and_the_settings_keep_them(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text("mouse = true  # mine\n")
    async with opened(three(), beginning=StartupState(config_path=path)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.until_shown("IMAGE")
        await dashboard.press("J")
        await dashboard.until_shown("Columns of containers")
        await dashboard.press("J", "k", "k", "j", "space", "enter")  # name before state, state hidden
        await dashboard.until(lambda: "STATE" not in headings(dashboard))
        assert headings(dashboard)[0] == "NAME"
        columns = read_settings(path).columns["containers"]
        assert columns[0] == "name"
        assert not {"state", "engine", "reason"} & set(columns)
        assert path.read_text().startswith("mouse = true  # mine\n")
        await dashboard.press("J")
        await dashboard.until_shown("Columns of containers")
        await dashboard.press("G", "k", "escape")
        assert read_settings(path).columns["containers"] == columns


async def test_the_mouse_opens_the_choice_and_hides_a_column():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("4")
        await dashboard.until_shown("DRIVER")
        await dashboard.pilot.click("#rows", offset=(5, 0), button=3)
        await dashboard.until_shown("Columns of volumes")
        chooser = dashboard.app.screen
        assert isinstance(chooser, ColumnChooser)
        line = next(
            index
            for index, cells in enumerate(chooser.query_one(TextBlock).lines)
            if "driver" in "".join(span.text for span in cells)
        )
        region = chooser.query_one(TextBlock).content_region
        await dashboard.pilot.click(offset=(region.x + 6, region.y + line))
        await dashboard.until(lambda: "driver" not in chooser.chosen)
        await dashboard.press("enter")
        await dashboard.until(lambda: "DRIVER" not in headings(dashboard))


async def test_one_column_always_stays():
    chooser_columns: set[str] = set()
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("4")
        await dashboard.until_shown("DRIVER")
        await dashboard.press("J")
        await dashboard.until_shown("Columns of volumes")
        chooser = dashboard.app.screen
        assert isinstance(chooser, ColumnChooser)
        for _ in range(len(chooser.chosen)):
            await dashboard.press("space", "j")
        chooser_columns = chooser.chosen
    assert len(chooser_columns) == 1


def test_mistakes_are_reported_by_the_check_of_the_settings():
    columns = {
        "containers": ("name", "cpuu"),
        "imagse": ("name",),
        "images": (),
        "volumes": ("name", "name"),
        "workloads": ("name",),
        "resource:leases": ("whatever",),
    }
    reported = {problem.steps[1]: problem for problem in problems(UserSettings(columns=columns))}
    assert {view: problem.message for view, problem in reported.items()} == {
        "containers": "containers has no column cpuu",
        "imagse": "there is no view imagse",
        "images": "images has no column left",
        "volumes": "volumes has the column name twice",
    }
    assert "cpu" in reported["containers"].hint
