from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.errors import ConfigError
from pyd_tui.config.reader import parse_settings, read_settings
from pyd_tui.config.settings import UiState, UserCommand, UserSettings
from pyd_tui.config.state import load_state, save_state
from pyd_tui.config.writer import TEMPLATE, as_toml

COMMAND = '[[commands]]\nname = "a"\nrun = "b"\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('theme = "drak"', "f:1: theme can't be drak", "did you mean dark?"),
        ('\n\nthme = "dark"', "f:3: there is no setting thme", "did you mean theme?"),
        ("mouse = 3", "f:1: mouse: expected `bool`, got `int`", ""),
        ("mouse", "f:1: Expected '=' after a key in a key/value pair (at end of document)", "see https://toml.io"),
        ('mouse = true\nx = "\n', "f:2: Illegal character '\\n'", "see https://toml.io"),
        ("[keys.containers]\nstop = 3", "f:2: keys.containers.stop: a key or a list of keys is expected, not int", ""),
        ("keys = 3", "f:1: keys: a key or a list of keys is expected, not int", ""),
        (COMMAND + '[[commands]]\nname = "x"\nrn = "b"', "f:6: there is no setting rn", "did you mean run?"),
        (COMMAND + '[[commands]]\nname = "x"', "f:4: [[commands]] number 2 has no run", ""),
        (COMMAND + 'where = "here"', "f:4: commands.0.where can't be here", "available: suspend, background, pane"),
    ],
)
def test_every_mistake_is_reported_with_its_line_and_a_hint(text: str, message: str, hint: str):
    with pytest.raises(ConfigError) as caught:
        parse_settings(text.encode(), "f")
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_binary_data_escape_sequences_and_deep_nesting_are_reported_safely():
    for data in (b"a = 1\n\xff", b"\x1b]0;x\x07 = 1", b"a = " + b"[" * 100_000):
        with pytest.raises(ConfigError) as caught:
            parse_settings(data, "f")
        assert caught.value.message.startswith("f:")
        assert "\x1b" not in caught.value.message


def test_a_missing_file_sets_nothing_and_an_unreadable_one_is_reported(tmp_path: Path):
    assert read_settings(tmp_path / "none") == UserSettings()
    with pytest.raises(ConfigError, match="directory"):
        read_settings(tmp_path)


def test_printed_settings_round_trip_and_the_template_sets_nothing():
    settings = UserSettings(
        theme="high-contrast",
        mouse=False,
        filter='a "b" \\ é',
        keys={"containers": {"stop": ["x", "ctrl+k"], "logs": []}},
        commands=(UserCommand(name="a b", run="docker x {name} 'y'", prompts=("path",), where="pane"),),
    )
    assert parse_settings(as_toml(settings).encode(), "f") == settings
    assert parse_settings(TEMPLATE.encode(), "f") == UserSettings()
    everything = "\n".join(line.removeprefix("# ") for line in TEMPLATE.splitlines() if "=" in line or "[" in line)
    assert len(parse_settings(everything.encode(), "f").commands) == 1


def test_state_is_saved_and_an_invalid_file_gives_the_defaults(tmp_path: Path):
    how = UiState(view="images", sort="cpu", theme="light")
    save_state(tmp_path / "new" / "state.json", how)
    assert load_state(tmp_path / "new" / "state.json") == how
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["state.json"]
    (tmp_path / "bad").write_bytes(b"\xff{")
    assert load_state(tmp_path / "bad") == load_state(tmp_path / "none") == UiState()
