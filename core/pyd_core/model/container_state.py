"""What a container is doing, or how it ended."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct, parse_time


class HealthResult(ApiStruct):
    """One run of a health probe."""

    SPEC: ClassVar[str] = "HealthcheckResult"

    start: str = ""
    end: str = ""
    exit_code: int = 0
    """0 healthy, 1 unhealthy, 2 reserved (counts as unhealthy); others: the probe itself failed."""
    output: str = ""


class Health(ApiStruct):
    """What the health probes found."""

    SPEC: ClassVar[str] = "Health"

    status: str = ""
    """`none`, `starting`, `healthy` or `unhealthy`."""
    failing_streak: int = 0
    log: list[HealthResult] = []


class ContainerState(ApiStruct):
    """What a container is doing, or how it ended."""

    SPEC: ClassVar[str] = "ContainerState"

    status: str = ""
    running: bool = False
    """True while paused too."""
    paused: bool = False
    restarting: bool = False
    oom_killed: bool = msgspec.field(name="OOMKilled", default=False)
    """The engine's flag: also set when only a child was killed, and sometimes missed. Never a verdict by itself."""
    dead: bool = False
    pid: int = 0
    """The main process on the engine's host; 0 when it doesn't run."""
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None

    @property
    def started_ns(self) -> int | None:
        """When it last started, nanoseconds since the epoch; None if never."""
        return parse_time(self.started_at)

    @property
    def finished_ns(self) -> int | None:
        """When it last ended, nanoseconds since the epoch; None if never."""
        return parse_time(self.finished_at)
