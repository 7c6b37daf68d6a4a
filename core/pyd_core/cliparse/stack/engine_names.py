"""Names on the engine of what a Compose file declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe


@dataclass(frozen=True, kw_only=True)
class EngineNames:
    """Names on the engine of the objects that a file declares.

    Attributes:
        stack: The stack.
        directory: The directory that relative paths start from.
        networks: Names on the engine, by name in the file; the same holds for volumes, secrets and configs.
    """

    stack: str
    directory: Path
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    secrets: Mapping[str, str]
    configs: Mapping[str, str]
    drivers: Mapping[str, dict[str, Any]]
    """Driver and options of volumes that set any."""

    def resolve(self, kind: str, name: str, where: str) -> str:
        """Return the name of a network, volume, secret or config on the engine.

        Raises:
            InvalidInput: The file declares no such object.
        """
        engine_name = getattr(self, kind).get(name)
        if engine_name is None:
            raise InvalidInput(f"{where} names {safe(name)!r}, which is not in the file's {kind}")
        return str(engine_name)
