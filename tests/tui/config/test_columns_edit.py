"""Columns saved in a settings file that belongs to its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.errors import ConfigError
from pyd_tui.config.columns_edit import save_columns
from pyd_tui.config.reader import read_settings
from pyd_tui.config.settings import UserSettings
from pyd_tui.config.writer import as_toml

FILE = """\
# mine
theme = "dark"   # at night

[columns]
images = [
    "name",  # first
    "size",
]
"resource:leases" = ["name"]

[keys.containers]
stop = "ctrl+k"
"""


def test_a_file_is_made_for_the_first_choice(tmp_path: Path):
    path = tmp_path / "pyd/config.toml"
    save_columns(path, "containers", ["name", "cpu"])
    assert path.read_text() == '[columns]\ncontainers = ["name", "cpu"]\n'


def test_the_rest_of_the_file_stays_as_it_is(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    save_columns(path, "images", ["size"])
    save_columns(path, "volumes", ["name"])
    save_columns(path, "resource:leases", [])
    assert path.read_text() == FILE.replace(
        'images = [\n    "name",  # first\n    "size",\n]\n"resource:leases" = ["name"]\n',
        'volumes = ["name"]\nimages = ["size"]\n',
    )
    assert path.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_without_the_section_gets_one_at_its_end(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text('[keys.containers]\nstop = "x"')
    save_columns(path, "images", ["name"])
    assert path.read_text() == '[keys.containers]\nstop = "x"\n\n[columns]\nimages = ["name"]\n'


def test_a_linked_file_stays_a_link(tmp_path: Path):
    real, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    real.write_text("mouse = false\n")
    link.symlink_to(real)
    save_columns(link, "images", ["name"])
    assert link.is_symlink()
    assert read_settings(real) == UserSettings(mouse=False, columns={"images": ("name",)})


@pytest.mark.parametrize(
    "text",
    [
        'columns = { images = ["name"] }\n',
        'columns.images = ["name"]\n',
        'theme = """\n[columns]\n"""\n',
        "theme = 3\n",
        "[columns\n",
    ],
)
def test_a_file_that_cannot_be_changed_stays_as_it_is(tmp_path: Path, text: str):
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        save_columns(path, "images", ["size"])
    assert path.read_text() == text


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError):
        save_columns(tmp_path / "file/config.toml", "images", ["size"])


def test_chosen_columns_are_among_the_settings_shown(tmp_path: Path):
    settings = UserSettings(columns={"resource:leases": ("name",), "images": ("size", "name")})
    path = tmp_path / "config.toml"
    path.write_text(as_toml(settings))
    assert read_settings(path) == settings
