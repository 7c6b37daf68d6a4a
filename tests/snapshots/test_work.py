"""Dialogs, files, documents and themes: several pictures of one dashboard each, since opening it is what takes time."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from pyd_tui.config.settings import Settings, UserCommand
from pyd_tui.dashboard.beginning import Beginning
from pyd_tui.dashboard.theme import PALETTES, PREFIX
from support.dashboard import opened
from support.scripted_engine import START_NS, ScriptedEngine

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SCRIPT = b"""#!/usr/bin/env python3
# Serves orders.
import os

PORT = 8080


class Server:
    def start(self, host: str = "0.0.0.0") -> None:
        print(f"listening on {host}:{PORT}", os.getpid())
"""


def archive(top: str, entries: dict[str, bytes | str | None]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in {top: None if top.endswith("/") else entries[top], **entries}.items():
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = START_NS // 10**9, 0o755 if content is None else 0o644
            if content is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def work() -> ScriptedEngine:
    engine = ScriptedEngine()
    shop = {"com.docker.compose.project": "shop"}
    for name, state in (("shop-db-1", "running"), ("shop-web-1", "running"), ("shop-worker-1", "exited")):
        engine.add(
            name,
            image=f"registry.example.com/{name[:-2]}:2.14",
            state=state,
            labels=shop,
            env=["DB_PASSWORD=x", "TZ=UTC"],
        )
    engine.archives["/"] = archive(
        "root/",
        {"root/bin": "usr/bin", "root/etc/": None, "root/var/": None, "root/serve.py": SCRIPT, "root/.dockerenv": b""},
    )
    engine.archives["/serve.py"] = archive("serve.py", {"serve.py": SCRIPT})
    engine.archives["/.dockerenv"] = archive(".dockerenv", {".dockerenv": bytes(range(256)) * 3})
    engine.documents["*/changes"] = [{"Path": "/var", "Kind": 0}, {"Path": "/serve.py", "Kind": 1}]
    return engine


async def test_dialogs(picture: SnapshotAssertion):
    engine = work()
    engine.refusals[f"POST /containers/{engine.get('shop-web-1').id}/update"] = (500, "device or resource busy")
    commands = (UserCommand(name="tunnel", key="f7", run="ssh {name}", help="a tunnel to it", prompts=("port",)),)
    beginning = Beginning(settings=Settings(commands=commands))
    async with opened(engine, size=(100, 30), beginning=beginning) as dashboard:
        await dashboard.measured(engine)

        async def shown(name: str, *keys: str, text: str = "") -> None:
            await dashboard.press(*keys)
            await dashboard.type(text)
            await dashboard.settled(engine)
            assert dashboard.svg == picture(name=name)

        await shown("again", "A")
        await shown("own", "escape", "f7")
        await shown("palette", "escape", "ctrl+p", text="sho")
        await shown("help", "escape", "question_mark", "slash", text="mark")
        await shown("command", "enter", "escape", "escape", "colon", text="update ")
        await dashboard.press("escape", "asterisk", "colon")
        await dashboard.type("update pids=100")
        await dashboard.press("enter", "y")
        await dashboard.until_shown("1 of 3 failed")
        await shown("report")


async def test_files_and_documents(picture: SnapshotAssertion):
    engine = work()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter", "F")
        await dashboard.until_shown("5 entries")
        await dashboard.until_shown("~")
        await dashboard.settled(engine)
        assert dashboard.svg == picture(name="files")
        await dashboard.press("G", "enter")
        await dashboard.until_shown("class Server")
        await dashboard.settled(engine)
        assert dashboard.svg == picture(name="text")
        await dashboard.press("q", "k", "k", "enter")
        await dashboard.until_shown("binary")
        await dashboard.settled(engine)
        assert dashboard.svg == picture(name="binary")
        await dashboard.press("q", "i", "slash")
        await dashboard.type("PASSWORD")
        await dashboard.press("enter")
        await dashboard.settled(engine)
        assert dashboard.svg == picture(name="inspect")
        await dashboard.press("z")
        await dashboard.settled(engine)
        assert dashboard.svg == picture(name="folded")


async def test_themes(picture: SnapshotAssertion):
    engine = work()
    engine.print("shop-db-1", b"\x1b[31mred\x1b[0m level=error msg=full")
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("j", "space")
        for name in PALETTES:
            dashboard.app.set_theme(name.removeprefix(PREFIX))
            await dashboard.press("k", "j")
            await dashboard.settled(engine)
            assert dashboard.svg == picture(name=name)
