"""Commands of an OCI runtime."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable
from pathlib import Path

import pytest

from pyd_core.daemon.runtime import oci
from pyd_core.errors import EngineError


def runtime(directory: Path, script: str) -> oci.Runtime:
    program = directory / "runtime"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return oci.Runtime(str(program), directory / "state")


async def reference_of(command: Awaitable[object]) -> str:
    try:
        await command
    except EngineError as error:
        return error.reference
    return ""


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
async def test_a_command_that_hangs_is_killed_with_its_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oci, "COMMAND_TIMEOUT_S", 0.2)
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        hanging = runtime(tmp_path, f"exec 9>{fifo}; sleep 1000 & wait")
        for command in (hanging.call("pause", "key"), hanging.delete("key"), hanging.update("key", {})):
            assert await reference_of(command) == "runtime-timeout"
            os.set_blocking(reader, True)
            assert os.read(reader, 1) == b""  # the script and its helper have closed it: they are gone
    finally:
        os.close(reader)
        gc.collect()  # the engine's reaper would wait for them


async def test_a_command_reports_the_runtimes_message(tmp_path: Path):
    with pytest.raises(EngineError, match="runtime: out of order"):
        await runtime(tmp_path, "echo out of order >&2; exit 1").call("pause", "key")
