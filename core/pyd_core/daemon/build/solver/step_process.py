"""The process of a step: an OCI runtime in the foreground, whose output is read as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.oci import Runtime, failure
from pyd_core.errors import PydError

OnOutput = Callable[[int, bytes], None]
"""Gets a stream's number, 1 or 2, and data."""


async def run(runtime: Runtime, key: str, bundle: Path, on_output: OnOutput, *, owner: tuple[int, int] | None) -> int:
    """Run a container to its end and return its exit code; cancellation ends it.

    Args:
        runtime: The runtime.
        key: The container's id.
        bundle: Directory with its `config.json`.
        on_output: Gets its output.
        owner: The host's ids of the container's root, where they aren't 0.

    Raises:
        EngineError: The runtime refused.
    """
    pipes = [os.pipe(), os.pipe()]
    try:
        log = bundle / "runtime.log"
        options = ["--log", str(log), "--log-format", "json"] if runtime.is_runc else []
        if owner is not None:
            for _, write_fd in pipes:
                os.fchown(write_fd, *owner)
        process = await subprocesses.spawn(
            [*runtime.arguments, *options, "run", "--bundle", str(bundle), key],
            stdin=subprocess.DEVNULL,
            stdout=pipes[0][1],
            stderr=pipes[1][1],
            start_new_session=True,
        )
    except BaseException:
        for read_fd, _ in pipes:
            os.close(read_fd)
        raise
    finally:
        for _, write_fd in pipes:
            os.close(write_fd)
    last = bytearray()

    def on_error(data: bytes) -> None:
        last.extend(data)
        del last[:-4096]
        on_output(2, data)

    try:
        with subprocesses.awaiting(process):
            await asyncio.gather(
                subprocesses.drain(pipes[0][0], lambda data: on_output(1, data)),
                subprocesses.drain(pipes[1][0], on_error),
            )
            await subprocesses.ended(process.pid)
            code = process.wait()
    finally:
        if (runtime.state / key).exists():
            await asyncio.shield(_delete(runtime, key))
    if _is_runtime_failure(code, log):
        raise failure(runtime.name, log.read_bytes() if log.exists() and log.stat().st_size else bytes(last))
    return 128 - code if code < 0 else code


async def _delete(runtime: Runtime, key: str) -> None:
    with contextlib.suppress(PydError):
        await runtime.delete(key)


def _is_runtime_failure(code: int, log: Path) -> bool:
    """Return whether the runtime failed rather than the command: it then wrote an error to its log."""
    if not code or not log.exists():
        return False
    return b'"level":"error"' in log.read_bytes()
