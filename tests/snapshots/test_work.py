"""Files and documents: several pictures of one dashboard each, since opening it is what takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.dashboard import opened
from support.scenes import in_sizes, work

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from syrupy.assertion import SnapshotAssertion


async def test_files_and_documents(picture: SnapshotAssertion):
    engine = work()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter", "F")
        await dashboard.until_shown("5 entries")
        await dashboard.until_shown("~")
        await dashboard.press("G", "enter")
        await dashboard.until_shown("class Server")
        await in_sizes(dashboard, picture, "text")
        await dashboard.press("q", "k", "k", "enter")
        await dashboard.until_shown("binary")
        await in_sizes(dashboard, picture, "binary")
        await dashboard.press("q", "i", "slash")
        await dashboard.type("PASSWORD")
        await dashboard.press("enter")
        await in_sizes(dashboard, picture, "inspect")
        await dashboard.press("Z")
        await in_sizes(dashboard, picture, "folded")


COMPOSE = """#!/bin/sh
case "$*" in
*" ps"*)
    echo "NAME        IMAGE          SERVICE  STATUS                   PORTS"
    echo "shop-db-1   postgres:16.4  db       Up 2 days (healthy)"
    echo "shop-web-1  shop/web:2.14  web      Up 2 days (unhealthy)    0.0.0.0:8080->80/tcp";;
*)
    echo " Container shop-web-1  Stopping"
    echo "Error response from daemon: cannot stop container: shop-web-1: permission denied"
    exit 1;;
esac
"""


async def test_compose(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    program = tmp_path / "docker-compose"
    program.write_text(COMPOSE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("pyd_tui.dashboard.actions.external_commands.find_compose", lambda: [program.name])
    engine = work()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("Y")
        await dashboard.type("ps")
        await dashboard.press("enter")
        await dashboard.until_shown("ended with 0")
        await in_sizes(dashboard, picture, "output")
        await dashboard.press("q", "Y")
        await dashboard.type("stop")
        await dashboard.press("enter")
        await dashboard.until_shown("Stop project shop")
        await in_sizes(dashboard, picture, "question")
        await dashboard.press("y")
        await dashboard.until_shown("ended with 1")
        await in_sizes(dashboard, picture, "failed")
