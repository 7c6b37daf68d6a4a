"""Updates of swarm objects: the spec is read, edited and sent back complete with the version that was read.

Fields that the models lack would be lost in the decoded form, so the engine's own JSON is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyd_core.client.api_client import ApiClient, segment
from pyd_core.errors import EngineError
from pyd_core.model.base import decode

Edit = Callable[[dict[str, Any]], None]
"""Changes a `Spec` in place."""

MAX_ATTEMPTS = 3
"""Another client may change it between reading and writing; the engine then responds that the version is outdated."""


async def edit(
    client: ApiClient,
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
    for attempt in range(1, MAX_ATTEMPTS + 1):
        document = decode((await client.send("GET", path)).body, dict[str, Any], what=f"inspect of {name}")
        spec: dict[str, Any] = document.get("Spec", {})
        change(spec)
        version = int(document.get("Version", {}).get("Index", 0))
        try:
            return await client.post(
                f"/{kind}/{segment(str(document['ID']))}/update",
                {"version": version, **(query or {})},
                body=spec,
                headers=headers,
            )
        except EngineError as error:
            if attempt == MAX_ATTEMPTS or "update out of sequence" not in error.message:
                raise
    raise AssertionError  # the last attempt returns or raises


def created_id(body: bytes) -> str:
    """Return the id of a created secret or config. The contract (`IdResponse`) says `Id`, Docker Engine `ID`."""
    document = decode(body, dict[str, str])
    return document.get("ID") or document.get("Id", "")
