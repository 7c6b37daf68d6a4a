"""Commands run inside a container by the engine (`exec`)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class ExecCreated(ApiStruct):
    """Response to creating an exec."""

    SPEC: ClassVar[str] = "IdResponse"

    id: str


class ExecState(ApiStruct):
    """State of an exec, and its exit code."""

    SPEC: ClassVar[str] = "GET /exec/{id}/json 200"

    id: str = msgspec.field(name="ID", default="")
    running: bool = False
    exit_code: int | None = None
    """None while it runs."""
    pid: int = 0
    container_id: str = msgspec.field(name="ContainerID", default="")
