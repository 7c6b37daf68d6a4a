"""Tars that are unpacked into a running container of this machine.

Everything is created by descriptor inside the root of the container's main process, in the mounts that it sees: a
read-only mount stays one, and a link is never followed out of the root (`tar/unpack.py`).
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from functools import partial
from pathlib import Path
from typing import IO

from pyd_core.cri.node_container import NodeContainer
from pyd_core.cri.node_files import open_container_root
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.linux.openat2 import open_in_root
from pyd_core.linux.userns import IdMap, as_root_of
from pyd_core.sanitise import safe
from pyd_core.tar.unpack import Unpacker

MAX_MEMORY_BYTES = 4 << 20
"""Longer archives wait in an unnamed file until they are complete."""


async def unpack(
    container: NodeContainer,
    path: str,
    tar: bytes | AsyncIterable[bytes],
    *,
    keep_owners: bool = False,
    overwrite_kinds: bool = False,
) -> None:
    """Unpack a tar into a directory of a running container.

    Args:
        container: The container.
        path: The directory.
        tar: The archive, uncompressed.
        keep_owners: Keep the numeric owners of the archive; otherwise everything belongs to the container's root.
        overwrite_kinds: Allow a file to replace a directory, and a directory a file.

    Raises:
        Conflict: The container doesn't run.
        NotFound: There is no such directory.
        InvalidInput: The path isn't a directory, or the archive is damaged or hostile.
        Refused: Only root may do it.
    """
    with tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES) as archive:
        async for chunk in _chunks(tar):
            await asyncio.to_thread(archive.write, chunk)
        archive.seek(0)
        await asyncio.to_thread(
            partial(_unpack, container, path, archive, keep_owners=keep_owners, overwrite_kinds=overwrite_kinds)
        )


async def _chunks(tar: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(tar, bytes):
        yield tar
        return
    async for chunk in tar:
        yield chunk


def _unpack(
    container: NodeContainer, path: str, archive: IO[bytes], *, keep_owners: bool, overwrite_kinds: bool
) -> None:
    shown = safe(container.name)
    with open_container_root(container) as (process, root):
        ids = IdMap.from_proc(Path(f"/proc/self/fd/{process.descriptor}"))
        try:
            os.close(open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except FileNotFoundError:
            raise NotFound(f"{shown} has no {safe(path)}", reference="no-such-path") from None
        except NotADirectoryError:
            raise InvalidInput(f"{safe(path)} in {shown} is not a directory") from None
        unpacker = Unpacker(
            Path(f"/proc/self/fd/{root}"),
            layer=False,
            prefix=posixpath.normpath(posixpath.join("/", path)),
            strict=not overwrite_kinds,
            ids=None if ids.plain else ids,
            owner=None if keep_owners else (0, 0),
        )
        run = partial(unpacker.run, archive)
        if ids.plain:
            run()
        else:
            as_root_of(ids, run)
