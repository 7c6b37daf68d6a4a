"""A command of `docker exec`: its request and its state."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pyd_core.model.base import ApiStruct as Model

if TYPE_CHECKING:
    from pyd_core.daemon.containers.container import EngineContainer


class ExecBody(Model):
    """The body of `POST /containers/{id}/exec`."""

    SPEC: ClassVar[str] = ""

    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    console_size: list[int] | None = None
    detach_keys: str = ""
    tty: bool = False
    env: list[str] = []  # noqa: RUF012 - msgspec copies it for each new struct
    cmd: list[str] = []  # noqa: RUF012
    privileged: bool = False
    user: str = ""
    working_dir: str = ""


@dataclass
class Exec:
    """A command, before, while and after it runs."""

    container: EngineContainer
    body: ExecBody
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    running: bool = False
    started: bool = False
    code: int | None = None
    pid: int = 0
    master: int = -1
    """The engine's end of its terminal."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it runs or has failed to start."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Kill the command, because its container ends."""
        if self.running and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
