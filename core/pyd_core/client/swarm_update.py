"""Changing an object of a swarm: read as it is, edited, and sent back whole with the edition that was read.

What no model knows would be lost if the decoded form were sent, so the engine's own JSON is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.errors import EngineError
from pyd_core.model.base import decode

Edit = Callable[[dict[str, Any]], None]
"""Changes a `Spec` in place."""

ATTEMPTS = 3
"""Somebody else may change it between reading and writing; the engine then answers that the edition is out of date."""


async def edit(
    session: ApiClient,
    kind: str,
    name: str,
    change: Edit,
    *,
    query: Mapping[str, str | int | bool | None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Edit the spec of `/KIND/NAME` (`services`, `nodes`, `secrets`, `configs`) and return the engine's answer.

    Raises:
        NotFound: There is no such object.
        EngineError: The engine refuses the change.
    """
    path = f"/{kind}/{segment(name)}"
    for attempt in range(1, ATTEMPTS + 1):
        known = decode((await session.send("GET", path)).body, dict[str, Any], what=f"inspect of {name}")
        spec: dict[str, Any] = known.get("Spec", {})
        change(spec)
        version = int(known.get("Version", {}).get("Index", 0))
        try:
            return await session.post(
                f"/{kind}/{segment(str(known['ID']))}/update",
                {"version": version, **(query or {})},
                body=spec,
                headers=headers,
            )
        except EngineError as error:
            if attempt == ATTEMPTS or "update out of sequence" not in error.message:
                raise
    raise AssertionError  # the last attempt returns or raises


def made_id(body: bytes) -> str:
    """Read the answer to making a secret or a config. The contract (`IdResponse`) says `Id`, Docker Engine `ID`."""
    told = decode(body, dict[str, str])
    return told.get("ID") or told.get("Id", "")
