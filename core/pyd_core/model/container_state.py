"""State of a container, and its last exit."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct, parse_time


class HealthResult(ApiStruct):
    """Result of one health probe."""

    SPEC: ClassVar[str] = "HealthcheckResult"

    start: str = ""
    end: str = ""
    exit_code: int = 0
    """0 healthy, 1 unhealthy, 2 reserved (counts as unhealthy). Others: the probe itself failed."""
    output: str = ""


class Health(ApiStruct):
    """Results of the health checks."""

    SPEC: ClassVar[str] = "Health"

    status: str = ""
    """`none`, `starting`, `healthy` or `unhealthy`."""
    failing_streak: int = 0
    log: list[HealthResult] = []


class ContainerState(ApiStruct):
    """State of a container, and its last exit."""

    SPEC: ClassVar[str] = "ContainerState"

    status: str = ""
    running: bool = False
    """Also true while paused."""
    paused: bool = False
    restarting: bool = False
    oom_killed: bool = msgspec.field(name="OOMKilled", default=False)
    """The engine's flag: also set when only a child was killed, and sometimes missed. Never enough for a verdict."""
    dead: bool = False
    pid: int = 0
    """The main process on the engine's host; 0 when it isn't running."""
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None

    @property
    def started_ns(self) -> int | None:
        """The time of its last start in nanoseconds since the epoch; None if it never started."""
        return parse_time(self.started_at)

    @property
    def finished_ns(self) -> int | None:
        """The time of its last exit in nanoseconds since the epoch; None if it never ran."""
        return parse_time(self.finished_at)
