"""Files of a stopped container, in its layers on this machine's disk."""

from __future__ import annotations

import asyncio
from errno import EACCES

from pyd_core.errors import NotFound
from pyd_core.files.entry import DirectoryListing, sort_entries
from pyd_core.files.live import entry_of, file_error
from pyd_core.linux.layered_fs import MergedTree
from pyd_core.sanitise import safe


class LayerFiles:
    """Files in a stack of layers, read without mounting it.

    Args:
        tree: The layers.
    """

    way = "from its layers"

    def __init__(self, tree: MergedTree) -> None:
        self._tree = tree

    async def list(self, path: str) -> DirectoryListing:
        """See `Files`."""
        return await asyncio.to_thread(self._list, path)

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `Files`."""
        return await asyncio.to_thread(self._read, path, size, offset)

    def _list(self, path: str) -> DirectoryListing:
        try:
            nodes = self._tree.names(path)
        except PermissionError as error:
            raise file_error(EACCES, path) from error
        if nodes is None:
            raise NotFound(f"{safe(path)}: no such directory")
        return DirectoryListing(sort_entries([entry_of(*node) for node in nodes]))

    def _read(self, path: str, size: int, offset: int) -> bytes:
        try:
            node = self._tree.lookup(path)
            if node is None or node.kind != "file":
                raise NotFound(f"{safe(path)}: no such file")
            return self._tree.read(path, size, offset)
        except PermissionError as error:
            raise file_error(EACCES, path) from error
