"""Likely secrets are hidden wherever the dashboard prints them."""

from __future__ import annotations

from typing import Any

import pytest

from pyd_tui.dashboard.input.keymap import KEYMAP
from pyd_tui.dashboard.render.document import lay_out
from pyd_tui.dashboard.render.env import env, has_secret, mask_text, mask_words
from support.dashboard import opened
from support.scripted_engine import ScriptedEngine

SECRET = "hunter2"  # noqa: S105 - the secret that must not be shown
URL = f"postgres://shop:{SECRET}@db:5432/shop"


@pytest.mark.parametrize(
    "document",
    [
        {"Config": {"Env": [f"DB_PASSWORD={SECRET}", f"DATABASE_URL={URL}"]}},
        {"Config": {"Labels": {"backup.target": URL}, "Cmd": ["serve", f"--db-password={SECRET}", URL + "?a=b"]}},
        {"Args": [f"--token={SECRET}"], "Path": URL},
    ],
)
def test_inspect_masks_variables_arguments_and_passwords_in_urls(document: Any):
    masked, plain = (
        "\n".join("".join(piece.text for piece in line.text) for line in lay_out(document, unmasked=unmasked))
        for unmasked in (False, True)
    )
    assert SECRET not in masked
    assert SECRET in plain


@pytest.mark.parametrize("text", [f"DB_PASS={SECRET}", f"X={URL}", f'[\n  "A=1",\n  "API_TOKEN={SECRET}"\n]'])
def test_a_copied_secret_is_recognised(text: str):
    assert has_secret(text)


@pytest.mark.parametrize("text", ["PATH=/bin", "http://web:8080/", "2026-12-01 user=anna", "", "\n"])
def test_a_harmless_text_is_none(text: str):
    assert not has_secret(text)


def test_the_line_below_masked_variables_names_the_key_that_shows_them():
    unmask = next(key for key in KEYMAP["detail"] if key.action == "unmask")
    last = env([f"DB_PASSWORD={SECRET}"], unmasked=False, room=80)[-1]
    assert "".join(piece.text for piece in last).strip() == f"1 masked, {unmask.shown} shows them"


def test_command_lines_are_masked_by_the_word():
    assert mask_text(f"curl {URL}") == "curl postgres://shop:••••••••@db:5432/shop"
    shown = "".join(piece.text for piece in mask_words(f"mysqld --root-password={SECRET}  -v {URL}"))
    assert shown == "mysqld --root-password=••••••••  -v postgres://shop:••••••••@db:5432/shop"


async def test_copying_a_secret_never_shows_it():
    engine = ScriptedEngine()
    engine.add("web", env=[f"DB_PASS={SECRET}", f"DATABASE_URL={URL}"])
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["web"])
        for text in ("DB_PASS", "DATABASE_URL"):
            await dashboard.press("i")
            await dashboard.until_shown(text)
            await dashboard.press("slash")
            await dashboard.type(text)
            await dashboard.press("enter", "y")
            await dashboard.until_shown("copied 1 value (hidden)")
            assert SECRET not in dashboard.text
            assert SECRET in dashboard.app.clipboard
            await dashboard.press("escape", "escape")
