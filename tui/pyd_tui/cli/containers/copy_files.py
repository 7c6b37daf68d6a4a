"""Copying of files between containers and this machine, by the rules of `cp -a` (docker/cli, `container/cp.go`)."""

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
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.archives import CHUNK_BYTES, open_archive, write_archive
from pyd_tui.cli.objects.bulk import container_id

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

MAX_MEMORY_BYTES = 16 * 2**20
"""Bytes of an archive kept in memory; a larger one goes to an unnamed file."""
MAX_LINKS = 40


async def copy_out(
    engine: Provider, name: str, path: str, target: str, *, owners: bool, follow: bool, quiet: bool
) -> None:
    """Copy from a container to a local path, or as a tar archive to standard output.

    Raises:
        NotFound: The container, its path or the local directory doesn't exist.
        InvalidInput: A directory would replace a file.
    """
    container = await container_id(engine, name)
    path = path or "/"
    if follow:
        path = await _resolve_links(engine, container, path)
    async with engine.containers.archive_stream(container, path) as stream:
        if target == "-":
            await write_archive(stream.chunks(), None)
            return
        with tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES) as archive:
            copied = 0
            async for chunk in stream.chunks():
                archive.write(chunk)
                copied += len(chunk)
            archive.seek(0)
            await asyncio.to_thread(_unpack, archive, path, target, owners=owners)
    _report(f"{safe(name)}:{safe(path)}", safe(target), copied, quiet=quiet)


async def copy_in(
    engine: Provider, source: str, name: str, path: str, *, owners: bool, follow: bool, quiet: bool
) -> None:
    """Copy a local path, or a tar archive from standard input, into a container.

    Raises:
        NotFound: The container, its directory or the local path doesn't exist.
        InvalidInput: A directory would replace a file.
    """
    container = await container_id(engine, name)
    path = path or "/"
    if source == "-":
        with open_archive(None) as content:
            await engine.containers.archive_put(container, path, content, keep_owners=owners)
        return
    local = Path(source)
    if not _exists(local):
        raise NotFound(f"no such file: {safe(source)}", reference="no-such-file")
    directory, name_inside = await _destination(
        engine, container, source, path, is_directory=_is_directory(local, follow=follow)
    )
    with tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES) as archive:
        await asyncio.to_thread(_pack, local, name_inside, archive, follow=follow)
        copied = archive.tell()
        archive.seek(0)
        await engine.containers.archive_put(container, directory, _chunks(archive), keep_owners=owners)
    _report(safe(source), f"{safe(name)}:{safe(path)}", copied, quiet=quiet)


async def _destination(
    engine: Provider, container: str, source: str, path: str, *, is_directory: bool
) -> tuple[str, str]:
    """Return the directory in the container to unpack in, and the name of the source there; `.` means its contents."""
    try:
        stat = await engine.containers.archive_stat(container, await _resolve_links(engine, container, path))
    except NotFound:
        parent, last = posixpath.split(path.rstrip("/"))
        if path.endswith("/") and not is_directory:
            raise NotFound(
                f"no such directory in the container: {safe(path)}",
                hint="create it first",
                reference="no-such-directory",
            ) from None
        if is_directory and _means_content(source):
            last = posixpath.basename(path.rstrip("/").removesuffix("/."))
        return parent or "/", last
    if stat.is_directory:
        if is_directory and _means_content(source):
            return path, "."
        return path, _name(source)
    if is_directory:
        raise InvalidInput(f"can't copy a directory over a file: {safe(path)} in the container is a file")
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


async def _resolve_links(engine: Provider, container: str, path: str) -> str:
    """Return the path with symbolic links at its end resolved; it needn't exist."""
    for _ in range(MAX_LINKS):
        try:
            stat = await engine.containers.archive_stat(container, path)
        except NotFound:
            return path
        if not stat.is_link or not stat.link_target:
            return path
        path = posixpath.join(posixpath.dirname(path), stat.link_target)
    return path


def _pack(source: Path, arcname: str, out: IO[bytes], *, follow: bool) -> None:
    root = Path(os.path.realpath(source)) if follow else source
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(root, arcname=arcname)
    out.truncate(out.seek(tar.offset))  # no padding: see `Containers.archive_put`


def _unpack(archive: IO[bytes], path: str, target: str, *, owners: bool) -> None:
    """Unpack an archive from a container; no member can leave the target (see `files.extraction`).

    Raises:
        NotFound: The target's directory doesn't exist.
        InvalidInput: The target can't be written.
    """
    local = Path(target)
    with tarfile.open(fileobj=archive) as tar:
        first = tar.next()
        if first is None:
            return
        top = first.name.rstrip("/")
        directory, top_name = _local_destination(local, target, path, top, is_directory=first.isdir())
        for member in tar:
            below = member.name.rstrip("/").removeprefix(top).lstrip("/")
            member.name = posixpath.join(top_name, below) if below else top_name
            if member.islnk():
                member.linkname = posixpath.join(top_name, member.linkname.removeprefix(top).lstrip("/"))
            if not below and top_name == ".":
                continue
            try:
                tar.extract(member, directory, numeric_owner=True, filter=_keep_owners if owners else data_filter)
            except (tarfile.FilterError, OSError) as error:
                raise InvalidInput(f"can't write {safe(member.name)}: {safe(str(error))}") from error


def _local_destination(local: Path, target: str, path: str, top: str, *, is_directory: bool) -> tuple[Path, str]:
    """Return the local directory to unpack in, and the name of the archive's top there."""
    if local.is_dir():
        content = is_directory and path.endswith("/.")
        return local, "." if content else posixpath.basename(top) or "root"
    if local.exists() and is_directory:
        raise InvalidInput(f"can't copy a directory over a file: {safe(target)} is a file")
    if not local.parent.is_dir() or (target.endswith("/") and not is_directory):
        raise NotFound(f"no such directory: {safe(target)}", hint="create it first", reference="no-such-directory")
    return local.parent, local.name


def _keep_owners(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Apply the data filter, but keep owners."""
    checked = data_filter(member, path)
    return checked and checked.replace(uid=member.uid, gid=member.gid, uname="", gname="", deep=False)


async def _chunks(source: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _report(source: str, target: str, copied: int, *, quiet: bool) -> None:
    if not quiet and sys.stderr.isatty():
        sys.stderr.write(f"copied {source} to {target} ({size(copied)})\n")
