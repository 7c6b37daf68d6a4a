"""Events of an engine."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class Actor(ApiStruct):
    """Object that an event is about."""

    SPEC: ClassVar[str] = "EventActor"

    id: str = msgspec.field(name="ID", default="")
    attributes: dict[str, str] = {}
    """Labels, and attributes at the time of the event: `name`, `image`, `exitCode`, `signal`, …"""


class Event(ApiStruct):
    """Event of `GET /events`."""

    SPEC: ClassVar[str] = "EventMessage"

    type: str = ""
    """`container`, `image`, `network`, `volume`, `daemon`, `plugin`, `service`, `node`, `secret`, `config` …"""
    action: str = ""
    """`start`, `die`, `oom`, `kill`, `health_status: healthy`, `exec_create: sh -c …`, …"""
    actor: Actor = Actor()
    scope: str = msgspec.field(name="scope", default="")
    time: int = msgspec.field(name="time", default=0)
    """Seconds since the epoch."""
    time_nano: int = msgspec.field(name="timeNano", default=0)
    """Nanoseconds since the epoch; resumed streams use this one."""

    @property
    def verb(self) -> str:
        """The action without the details that some have after a colon."""
        return self.action.partition(":")[0]

    @property
    def name(self) -> str:
        """The actor's name if it has one, else its id."""
        return self.actor.attributes.get("name") or self.actor.id

    @property
    def exit_code(self) -> int | None:
        """The exit code of a container or exec, for the verbs `die` and `exec_die`; None for others."""
        # Docker Engine's name, and Podman's
        code = self.actor.attributes.get("exitCode") or self.actor.attributes.get("containerExitCode", "")
        return int(code) if code.isdecimal() else None
