"""A target's files as a copy, where the engine's own layers can't be mounted: another store, or another machine.

Everything is copied, so this is the last resort. The copy lies in a directory of pyd's own, named by the process it
belongs to; what a killed process left there is removed by the next.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.clone import LABEL, remove_stale
from pyd_core.debug.stopped.plan import copies_root
from pyd_core.errors import PydError
from pyd_core.linux.process import ProcessEntry, is_alive
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_PROGRESS_LABEL = "copying files out of the engine"

Progress = Callable[[str, int, int], None]
"""Receives a stage, the part that is done, and the total: here in bytes."""


@contextmanager
def export_files(session: ApiClient, container: Container, *, image: bool, progress: Progress) -> Iterator[str]:
    """Copy a target's files to a directory for as long as the block lasts.

    Args:
        session: The engine.
        container: The target; of an image, a container is made for the time of the copying, and never started.
        image: Whether it stands for an image.
        progress: Receives the progress of the copy.

    Raises:
        PydError: The engine refused, or there is no room; nothing is left.
    """
    root = copies_root()
    os.makedirs(root, mode=0o700, exist_ok=True)
    with ProcessEntry(os.getpid()) as own:
        owner = f"{own.pid}-{own.start}"
    directory = f"{root}/{owner}"
    os.mkdir(directory, 0o700)
    try:
        inside = f"{directory}/root"
        os.mkdir(inside, 0o755)
        _fill(ContainersApi(session), container, inside, owner if image else "", progress)
        yield inside
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):  # another session's copy is there
            os.rmdir(root)


def _fill(containers: ContainersApi, container: Container, directory: str, owner: str, progress: Progress) -> None:
    receiver, pipe = _start_receiver(directory)
    try:
        run_now(_copy(containers, container, pipe, owner, progress))
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        _, status = os.waitpid(receiver, 0)
    if status != 0:
        free = shutil.disk_usage(directory).free >> 20
        raise PydError(
            f"the files of {safe(container.name)} couldn't be unpacked",
            hint=f"{free} MB are free; another folder can be named with PYD_COPIES",
            reference="copy-failed",
        )


async def _copy(
    containers: ContainersApi, container: Container, pipe: IO[bytes], owner: str, progress: Progress
) -> None:
    name = container.id
    if owner:
        await remove_stale(containers)
        body = {"Image": container.id, "Entrypoint": ["none"], "Labels": {LABEL: owner}}
        name = (await containers.create(body)).id
    try:
        total = (await containers.inspect(name, size=True)).size_root_fs or 0
        done = 0
        async with containers.export(name) as stream:
            async for chunk in stream.chunks():
                try:
                    pipe.write(chunk)
                except BrokenPipeError:
                    return  # the receiver ended early; its status tells
                done += len(chunk)
                progress(_PROGRESS_LABEL, min(done, total), total or done)
    finally:
        if owner:
            await containers.remove(name, force=True)


def _start_receiver(directory: str) -> tuple[int, IO[bytes]]:
    """Start a process that unpacks a tar with that directory as its root: whatever is in the tar, it can't get out."""
    theirs, ours = os.pipe()
    receiver = os.fork()
    if receiver == 0:
        code = 1
        try:
            os.close(ours)
            os.chroot(directory)
            os.chdir("/")
            os.umask(0)
            with open(theirs, "rb") as source, tarfile.open(fileobj=source, mode="r|") as tar:
                _unpack(tar)
                while source.read(1 << 16):
                    pass  # what follows the end of the tar
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    return receiver, open(ours, "wb")


def _unpack(tar: tarfile.TarFile) -> None:
    folders: list[tarfile.TarInfo] = []
    tar.extraction_filter = lambda member, _: member  # modes and owners as they are; the root bounds the paths
    for member in tar:
        if member.isdev() and not member.isfifo():
            continue  # dead on the stage anyway
        tar.extract(member, "/", numeric_owner=True)
        if member.isdir():
            folders.append(member)
        capability = member.pax_headers.get("SCHILY.xattr.security.capability")
        if capability and member.isreg():
            data = capability.encode(errors="surrogateescape")
            os.setxattr(f"/{member.name}", "security.capability", data, follow_symlinks=False)
    for member in reversed(folders):  # filling them changed their times
        with contextlib.suppress(OSError):
            os.utime(f"/{member.name}", (member.mtime, member.mtime), follow_symlinks=False)


def remove_stale_copies() -> None:
    """Remove copies whose process was killed."""
    root = copies_root()
    for name in os.listdir(root):
        pid, _, start = name.partition("-")
        if pid.isdecimal() and start.isdecimal() and not is_alive(int(pid), int(start)):
            shutil.rmtree(f"{root}/{name}", ignore_errors=True)
    with contextlib.suppress(OSError):  # a living session's copy is there
        os.rmdir(root)
