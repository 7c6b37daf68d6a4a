"""The removal of large directory trees while the engine keeps responding."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from pyd_core.linux.tree import remove_tree


async def remove(paths: Iterable[Path]) -> None:
    """Remove files and trees without references on a thread; those that can't be removed stay.

    Nothing may be mounted in them. A cancellation doesn't stop the thread.
    """
    going = list(paths)
    if going:
        await asyncio.to_thread(_remove, going)


def _remove(going: list[Path]) -> None:
    for path in going:
        remove_tree(path, ignore_errors=True)
