"""Copying files into containers and out of them, by the rules of cp -a (docker/cli, `container/cp.go`)."""

from __future__ import annotations

import asyncio
import os
import posixpath
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.files.extraction import data_filter
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.archives import CHUNK, receive, send
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.text.sizes import size

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

SPOOLED = 16 * 2**20
"""Bytes of an archive kept in memory; more go to a file without a name."""
MOST_LINKS = 40


async def copy_out(
    engine: EngineClient, name: str, path: str, target: str, *, owners: bool, follow: bool, quiet: bool
) -> None:
    """Copies out of a container to a path here, or as a tar to standard output.

    Raises:
        NotFound: There is no such container, path, or directory here.
        InvalidInput: A directory would have to take a file's place.
    """
    container = await container_id(engine, name)
    path = path or "/"
    if follow:
        path = await _followed(engine, container, path)
    async with engine.containers.archive_stream(container, path) as stream:
        if target == "-":
            await receive(stream.chunks(), None)
            return
        with tempfile.SpooledTemporaryFile(SPOOLED) as archive:
            moved = 0
            async for chunk in stream.chunks():
                archive.write(chunk)
                moved += len(chunk)
            archive.seek(0)
            await asyncio.to_thread(_unpack, archive, path, target, owners=owners)
    _tell(f"{safe(name)}:{safe(path)}", safe(target), moved, quiet=quiet)


async def copy_in(
    engine: EngineClient, source: str, name: str, path: str, *, owners: bool, follow: bool, quiet: bool
) -> None:
    """Copies a path here, or a tar on standard input, into a container.

    Raises:
        NotFound: There is no such container, path here, or directory there.
        InvalidInput: A directory would have to take a file's place.
    """
    container = await container_id(engine, name)
    path = path or "/"
    if source == "-":
        with send(None) as given:
            await engine.containers.archive_put(container, path, given, keep_owners=owners)
        return
    here = Path(source)
    if not _exists(here):
        raise NotFound(f"no such file: {safe(source)}", reference="no-such-file")
    directory, called = await _place(engine, container, source, path, is_directory=_is_directory(here, follow=follow))
    with tempfile.SpooledTemporaryFile(SPOOLED) as archive:
        await asyncio.to_thread(_pack, here, called, archive, follow=follow)
        moved = archive.tell()
        archive.seek(0)
        await engine.containers.archive_put(container, directory, _pieces(archive), keep_owners=owners)
    _tell(safe(source), f"{safe(name)}:{safe(path)}", moved, quiet=quiet)


async def _place(
    engine: EngineClient, container: str, source: str, path: str, *, is_directory: bool
) -> tuple[str, str]:
    """Returns the directory inside that takes the archive, and what the source is called in it; `.` is its content."""
    try:
        there = await engine.containers.archive_stat(container, await _followed(engine, container, path))
    except NotFound:
        parent, last = posixpath.split(path.rstrip("/"))
        if path.endswith("/") and not is_directory:
            raise NotFound(
                f"no such directory in the container: {safe(path)}", hint="make it first", reference="no-such-directory"
            ) from None
        if is_directory and _means_content(source):
            last = posixpath.basename(path.rstrip("/").removesuffix("/."))
        return parent or "/", last
    if there.is_directory:
        if is_directory and _means_content(source):
            return path, "."
        return path, _name(source)
    if is_directory:
        raise InvalidInput(f"can't copy a directory over a file: {safe(path)} in the container is one")
    parent, last = posixpath.split(path.rstrip("/"))
    return parent or "/", last


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _name(source: str) -> str:
    return Path(os.path.abspath(source)).name  # noqa: PTH100 - resolve() would follow links


def _means_content(source: str) -> bool:
    return source.endswith("/.") or source == "."


def _is_directory(path: Path, *, follow: bool) -> bool:
    return path.is_dir() and (follow or not path.is_symlink() or str(path).endswith("/"))


async def _followed(engine: EngineClient, container: str, path: str) -> str:
    """Returns the path that links at its end lead to; it needn't be there."""
    for _ in range(MOST_LINKS):
        try:
            found = await engine.containers.archive_stat(container, path)
        except NotFound:
            return path
        if not found.is_link or not found.link_target:
            return path
        path = posixpath.join(posixpath.dirname(path), found.link_target)
    return path


def _pack(source: Path, called: str, out: IO[bytes], *, follow: bool) -> None:
    root = Path(os.path.realpath(source)) if follow else source
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(root, arcname=called)
    out.truncate(out.seek(tar.offset))  # no padding: see `Containers.archive_put`


def _unpack(archive: IO[bytes], path: str, target: str, *, owners: bool) -> None:
    """Unpacks what came from a container; nothing in it can leave the target (see `files.extraction`).

    Raises:
        NotFound: The directory it should go to isn't there.
        InvalidInput: It can't go there.
    """
    here = Path(target)
    with tarfile.open(fileobj=archive) as tar:
        first = tar.next()
        if first is None:
            return
        top = first.name.rstrip("/")
        into, called = _local_place(here, target, path, top, is_directory=first.isdir())
        for member in tar:
            below = member.name.rstrip("/").removeprefix(top).lstrip("/")
            member.name = posixpath.join(called, below) if below else called
            if member.islnk():
                member.linkname = posixpath.join(called, member.linkname.removeprefix(top).lstrip("/"))
            if not below and called == ".":
                continue
            try:
                tar.extract(member, into, numeric_owner=True, filter=_keep if owners else data_filter)
            except (tarfile.FilterError, OSError) as error:
                raise InvalidInput(f"can't write {safe(member.name)}: {safe(str(error))}") from error


def _local_place(here: Path, target: str, path: str, top: str, *, is_directory: bool) -> tuple[Path, str]:
    """Returns the directory here that takes the archive, and what its top is called in it."""
    if here.is_dir():
        content = is_directory and path.endswith("/.")
        return here, "." if content else posixpath.basename(top) or "root"
    if here.exists() and is_directory:
        raise InvalidInput(f"can't copy a directory over a file: {safe(target)} is one")
    if not here.parent.is_dir() or (target.endswith("/") and not is_directory):
        raise NotFound(f"no such directory: {safe(target)}", hint="make it first", reference="no-such-directory")
    return here.parent, here.name


def _keep(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """As the data filter, but owners stay."""
    checked = data_filter(member, path)
    return checked and checked.replace(uid=member.uid, gid=member.gid, uname="", gname="", deep=False)


async def _pieces(source: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk


def _tell(source: str, target: str, moved: int, *, quiet: bool) -> None:
    if not quiet and sys.stderr.isatty():
        sys.stderr.write(f"copied {source} to {target} ({size(moved)})\n")
