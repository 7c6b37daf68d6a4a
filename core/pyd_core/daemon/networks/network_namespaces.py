"""Network namespaces of containers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.containers.record import SHORT_ID_LENGTH
from pyd_core.linux import netns

if TYPE_CHECKING:
    from pyd_core.daemon.userns import Remapping


class NetworkNamespaces:
    """The network namespaces of containers, and the user namespaces that own them.

    Each is kept alive by a file of a directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)

    def path(self, container_id: str) -> Path:
        """Return the file of a container's network namespace."""
        return self._directory / container_id[:SHORT_ID_LENGTH]

    def _owner_path(self, container_id: str) -> Path:
        """Return the file of the user namespace that owns it."""
        return self._directory / f"{container_id[:SHORT_ID_LENGTH]}.user"

    async def create(self, container_id: str, remapping: Remapping | None) -> dict[str, str]:
        """Create a container's network namespace, and the user namespace that owns it if ids are remapped.

        Returns:
            Their paths by the specification's type names.
        """
        self.remove(container_id)
        path, owner = self.path(container_id), self._owner_path(container_id)
        if remapping is None:
            netns.create(path)
            return {"network": str(path)}
        await asyncio.to_thread(netns.create_owned, path, owner, remapping.ids)
        return {"network": str(path), "user": str(owner)}

    def remove(self, container_id: str) -> None:
        """Remove a container's namespaces, if it has any."""
        netns.remove(self.path(container_id))
        netns.remove(self._owner_path(container_id))

    def remove_others(self, container_ids: Iterable[str]) -> None:
        """Remove the namespaces of all containers but these."""
        kept = {container_id[:SHORT_ID_LENGTH] for container_id in container_ids}
        for path in self._directory.iterdir():
            if path.stem not in kept:
                netns.remove(path)
