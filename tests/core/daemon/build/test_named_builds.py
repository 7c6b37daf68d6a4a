"""Builds with names: two requests that meet, and what is left of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyd_core.daemon.build import named_builds
from pyd_core.daemon.build.named_builds import MAX_NAMED_BUILDS, NamedBuilds
from pyd_core.errors import Conflict, EngineError, InvalidInput


async def test_a_build_gets_the_context_that_another_request_brings(tmp_path: Path) -> None:
    builds = NamedBuilds()
    file = tmp_path / "context"
    with builds.opened("b") as build, builds.opened("b") as upload:
        waiting = asyncio.ensure_future(build.await_upload())
        await upload.await_build()
        upload.give(file)
        upload.give_up()
        assert await waiting == file
    assert len(builds) == 0


async def test_a_second_upload_is_refused() -> None:
    with NamedBuilds().opened("b") as build:
        build.is_wanted.set()
        await build.await_build()
        with pytest.raises(Conflict):
            await build.await_build()


async def test_an_upload_that_breaks_off_fails_the_build() -> None:
    with NamedBuilds().opened("b") as build:
        waiting = asyncio.ensure_future(build.await_upload())
        await build.await_build()
        build.give_up()
        with pytest.raises(EngineError, match="broke off"):
            await waiting


async def test_a_context_that_no_build_wants_any_more_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "context"
    file.touch()
    with NamedBuilds().opened("b") as build:
        waiting = asyncio.ensure_future(build.await_upload())
        await build.await_build()
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        build.give(file)
        build.give_up()
    assert not file.exists()


async def test_neither_request_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_builds, "WAIT_S", 0.0)
    with NamedBuilds().opened("b") as build, pytest.raises(EngineError, match="deadline"):
        await build.await_upload()
    with NamedBuilds().opened("b") as build, pytest.raises(EngineError, match="deadline"):
        await build.await_build()


def test_names_and_their_number_are_bounded() -> None:
    async def run() -> None:
        builds = NamedBuilds()
        with pytest.raises(InvalidInput), builds.opened("x" * 257):
            pass
        opened = [builds.opened(str(number)) for number in range(MAX_NAMED_BUILDS)]
        for build in opened:
            build.__enter__()
        with pytest.raises(Conflict), builds.opened("one more"):
            pass
        for build in opened:
            build.__exit__(None, None, None)
        assert len(builds) == 0

    asyncio.run(run())
