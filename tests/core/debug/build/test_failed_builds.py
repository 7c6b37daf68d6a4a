"""Builds that failed and can be solved again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.debug.build.failed_builds import MAX_KEPT, find, remember


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "failed-builds"


def test_a_build_is_kept_with_its_directory_for_its_owner_only(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(state.parent)
    definition = BuildDefinition(context="app", arguments={"TOKEN": "x"}, secrets=("id=token,src=token.txt",))
    assert remember(state, "abc123", definition)
    kept = find(state, "abc123")
    assert kept is not None
    assert (kept.definition, kept.directory) == (definition, str(state.parent))
    assert (state.stat().st_mode & 0o777, (state / "abc123.json").stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_came_from_standard_input_is_not_kept(state: Path) -> None:
    assert not remember(state, "abc123", BuildDefinition(context="-"))
    assert not remember(state, "abc123", BuildDefinition(dockerfile="-"))
    assert not state.exists()


def test_a_reference_is_no_path(state: Path) -> None:
    assert not remember(state, "../abc", BuildDefinition())
    assert find(state, "../history") is None
    assert not state.exists()


def test_the_oldest_are_forgotten_and_damaged_ones_left_out(state: Path) -> None:
    for number in range(MAX_KEPT + 3):
        assert remember(state, f"build{number}", BuildDefinition())
    assert len(list(state.iterdir())) == MAX_KEPT
    (state / "damaged.json").write_text("{")
    assert find(state, "damaged") is None


def test_nothing_is_kept_without_a_directory() -> None:
    assert not remember(None, "abc123", BuildDefinition())
    assert find(None, "abc123") is None
