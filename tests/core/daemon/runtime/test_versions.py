"""Versions of the programs that the engine needs: queried once, without delaying requests."""

import asyncio
from pathlib import Path

import pytest

from pyd_core.daemon.runtime.versions import Release, Versions
from pyd_core.tasks import TaskOwner


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def test_a_program_is_called_once_for_all_concurrent_callers(tmp_path: Path):
    log_path = tmp_path / "asked"
    path = program(
        tmp_path / "runc", f"echo x >> {log_path}\nprintf 'runc version 1.2.3+a\\ncommit: 1.2.3-4\\nspec: 1.0\\n'"
    )
    async with TaskOwner() as tasks:
        versions = Versions(tasks)
        answers = await asyncio.gather(*(versions.of(path) for _ in range(5)))
        answers.append(await versions.of(path))
    assert answers == [Release("1.2.3+a", "1.2.3-4")] * 6
    assert log_path.read_text() == "x\n"


async def test_a_client_that_leaves_does_not_cancel_the_call_for_others(tmp_path: Path):
    gate = tmp_path / "gate"
    path = program(tmp_path / "slow", f"until [ -e {gate} ]; do sleep 0.01; done; echo slow version 7")
    async with TaskOwner() as tasks:
        versions = Versions(tasks)
        leaving = tasks.start(versions.of(path))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.touch()
        assert await versions.of(path) == Release("7")


@pytest.mark.parametrize("script", ["exit 1", "echo nothing of the kind", "echo version 1; exit 3"])
async def test_a_program_that_fails_has_no_version(tmp_path: Path, script: str):
    async with TaskOwner() as tasks:
        assert await Versions(tasks).of(program(tmp_path / "bad", script)) == Release()
        assert await Versions(tasks).of(str(tmp_path / "missing")) == Release()
