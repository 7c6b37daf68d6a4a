"""The record of Docker Engine and Podman of requests to end a container.

Events tell that better, with signal and time, but engines forget them; and Podman tells neither signals nor stops.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pyd_core.client.api_client import segment
from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import PydError
from pyd_core.model.base import decode
from pyd_core.model.container import Container
from pyd_core.triage.evidence import Case


class _Record(msgspec.Struct):
    """The part of Docker Engine's own record of a container (`config.v2.json`) that its API leaves out."""

    was_requested: bool = msgspec.field(name="HasBeenManuallyStopped", default=False)
    """Set by every stop and kill through the engine, unset by a start (moby, `daemon/kill.go`)."""


class _State(msgspec.Struct):
    was_requested: bool = msgspec.field(name="StoppedByUser", default=False)


class _Libpod(msgspec.Struct):
    """The same of Podman, in its own API's `GET /libpod/containers/{name}/json`."""

    state: _State = msgspec.field(name="State", default_factory=_State)


async def collect(case: Case, engine: Provider, *, local: bool) -> None:
    """Find out, if the container isn't alive."""
    if case.tool == "podman":
        case.asked_to_end = await _from_podman(case.container.id, engine)
    elif local:
        case.asked_to_end = _from_docker(case.container)


async def _from_podman(identity: str, engine: Provider) -> bool | None:
    try:
        answer = await engine_of(engine).api.send("GET", f"/libpod/containers/{segment(identity)}/json")
        return decode(answer.body, _Libpod).state.was_requested
    except PydError:
        return None


def _from_docker(container: Container) -> bool | None:
    """Read the record on disk; None without the right to."""
    if not container.hostname_path.endswith(f"/{container.id}/hostname"):
        return None
    record = Path(container.hostname_path).with_name("config.v2.json")
    try:
        return decode(record.read_bytes(), _Record).was_requested
    except (OSError, PydError):
        return None
