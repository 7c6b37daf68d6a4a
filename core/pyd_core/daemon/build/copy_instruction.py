"""COPY and ADD: sources packed from the context or another image, then unpacked in a container's root.

Both sides are untrusted, so paths are resolved by descriptor inside their own root, and sources are packed without
following links.
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import os
import posixpath
import stat
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pyd_core.daemon.build.remote import ResolvedAddress
from pyd_core.daemon.build.run_instruction import container_of, keep_changes
from pyd_core.daemon.build.stage import history_text
from pyd_core.daemon.build.variables import Lexer
from pyd_core.daemon.containers import users
from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.streams import HashingReader, decompress
from pyd_core.daemon.images.unpack import Unpacker
from pyd_core.errors import InvalidInput, KernelError, PydError
from pyd_core.linux.openat2 import RootDirectory

if TYPE_CHECKING:
    from pyd_core.daemon.build.dockerfile import Instruction
    from pyd_core.daemon.build.stage import BuildStage
from pyd_core.tar.reader import TarReader

DOWNLOAD_MODE = 0o600
"""Mode of downloaded files, as in Docker Engine."""
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class CopySource:
    """Archive of a source, and the directory of the image to unpack it in."""

    archive: Path
    into: str


async def copy(stage: BuildStage, step: Instruction, escape: str, source: RootDirectory) -> bool:
    """Copy into the image; return whether the step was cached.

    Args:
        stage: The stage to copy into.
        step: A COPY or ADD.
        escape: The Dockerfile's escape character.
        source: The root of the source paths.

    Raises:
        InvalidInput: A source is missing, or the target is invalid.
    """
    values = stage.variables
    words = step.listed()
    words = (
        [Lexer(word, values, escape).whole() for word in words] if words else Lexer(step.rest, values, escape).words()
    )
    if len(words) < 2:
        raise InvalidInput(f"{step.word} requires at least two arguments, a source and a destination")
    *names, target = words
    checksum = Lexer(step.flags.get("checksum", ""), values, escape).whole()
    addresses = [ResolvedAddress.parse(name) for name in names]
    if any(addresses) and step.word == "COPY":
        raise InvalidInput("source can't be a URL for COPY", hint="ADD takes one")
    if checksum and (len(names) > 1 or not any(addresses)):
        raise InvalidInput("--checksum is for one file that is named by its address")
    destination = posixpath.join(stage.config.working_dir or "/", target) + ("/" if target in {".", ".."} else "")
    async with container_of(stage, ["none"]) as container:
        async with AsyncExitStack() as stack:
            root = await stack.enter_async_context(stage.services.files.open_layers(container))
            chown = Lexer(step.flags.get("chown", ""), values, escape).whole()
            # Files from another image keep their owners.
            owner = _owner(container.root, chown) if chown or "from" not in step.flags else None
            mode = _mode(step.flags.get("chmod", ""))
            paths: list[str | ResolvedAddress] = []
            for name, address in zip(names, addresses, strict=True):
                paths += [address] if address else _matches(source, name, step)
            if not paths:
                raise InvalidInput(f"{step.word} failed: no source files were specified")
            into = destination.endswith("/") or len(paths) > 1 or len(names) > 1 or _is_directory(root, destination)
            if len(paths) > 1 and not destination.endswith("/") and not _is_directory(root, destination):
                raise InvalidInput(
                    f"When using {step.word} with more than one source file, the destination must be a directory and "
                    "end with a /"
                )
            pieces: list[CopySource] = []
            try:
                for path in paths:
                    if isinstance(path, ResolvedAddress):
                        piece = await _download(
                            stage, path, destination, into=into, checksum=checksum, owner=owner, mode=mode
                        )
                    else:
                        piece = await _pack(
                            stage, source, path, destination, into=into, add=step.word == "ADD", owner=owner, mode=mode
                        )
                    pieces.append(piece)
                digest = await asyncio.to_thread(_fingerprint, pieces)
                flags = "".join(f"--{name}={value} " for name, value in step.flags.items() if name != "from")
                created_by = history_text(stage.config, f"{step.word} {flags}{digest} in {target} ")
                if stage.cached(created_by, stage.config):
                    return True
                await asyncio.to_thread(_unpack, root, pieces, owner)
            finally:
                for piece in pieces:
                    piece.archive.unlink(missing_ok=True)
        await keep_changes(stage, container, created_by)
    return False


def _owner(root: Path, text: str) -> tuple[int, int]:
    """Return the owner of copies: root, or from `--chown=USER[:GROUP]`; the group defaults to a numeric user's number.

    Names are looked up in the image, never on the host.
    """
    if not text:
        return 0, 0
    user, colon, _ = text.partition(":")
    identity = users.look_up(root, text)
    return identity.uid, identity.uid if not colon and user.isdecimal() else identity.gid


def _mode(text: str) -> int | None:
    if not text:
        return None
    if not all(digit in "01234567" for digit in text) or len(text) > 4:
        raise InvalidInput(f"invalid --chmod: {text[:40]!r} is no octal number")
    return int(text, 8)


def _is_directory(root: RootDirectory, path: str) -> bool:
    try:
        os.close(root.open(path, os.O_PATH | os.O_DIRECTORY))
    except KernelError:
        return False
    return True


def _matches(source: RootDirectory, name: str, step: Instruction) -> list[str]:
    """Return the paths that match a source, sorted; `*`, `?` and `[…]` stay within one name, and may match none.

    Raises:
        InvalidInput: A source without wildcards is missing.
    """
    parts = [part for part in posixpath.normpath("/" + name).split("/") if part]
    candidates = [""]
    for part in parts:
        if not _WILD & set(part):
            candidates = [f"{path}/{part}" for path in candidates]
            continue
        candidates = [
            f"{path}/{entry}"
            for path in candidates
            for entry in _list_directory(source, path)
            if fnmatch.fnmatchcase(entry, part)
        ]
    existing = [path for path in candidates if _exists(source, path or "/")]
    if not existing and not _WILD & set(name):
        where = "" if "from" in step.flags else "file not found in build context or excluded by .dockerignore: "
        raise InvalidInput(f"{step.word} failed: {where}stat {name[:200].lstrip('/')}: file does not exist")
    return existing


def _list_directory(source: RootDirectory, path: str) -> list[str]:
    try:
        fd = source.open(path or "/", os.O_RDONLY | os.O_DIRECTORY)
    except KernelError:
        return []
    try:
        return sorted(os.listdir(fd))  # noqa: PTH208 - a descriptor
    finally:
        os.close(fd)


def _exists(source: RootDirectory, path: str) -> bool:
    try:
        os.close(source.open(path, os.O_PATH))
    except KernelError:
        return False
    return True


async def _pack(
    stage: BuildStage,
    source: RootDirectory,
    path: str,
    where: str,
    *,
    into: bool,
    add: bool,
    owner: tuple[int, int] | None,
    mode: int | None,
) -> CopySource:
    images = stage.services.images
    fd = source.open(path or "/", os.O_PATH)
    try:
        proc_path = f"/proc/self/fd/{fd}"
        kind = os.fstat(fd).st_mode
        if stat.S_ISDIR(kind):  # its contents, not the directory itself
            chunks = tar_writer.stream_tar(lambda packer: packer.add_tree(proc_path, ""), owner=owner, mode=mode)
            return CopySource(await loading.spool(images, chunks), where)
        if not stat.S_ISREG(kind):
            raise InvalidInput(f"{path[:200]} is neither a file nor a directory")
        if add:
            archive = images.blobs.create_temporary()
            if await asyncio.to_thread(_copy_archive, proc_path, archive):
                return CopySource(archive, where)
            archive.unlink()
        name = posixpath.basename(path) if into else posixpath.basename(where)
        directory = where if into else posixpath.dirname(where)
        chunks = tar_writer.stream_tar(lambda packer: packer.add_tree(proc_path, name), owner=owner, mode=mode)
        return CopySource(await loading.spool(images, chunks), directory)
    finally:
        os.close(fd)


async def _download(
    stage: BuildStage,
    address: ResolvedAddress,
    where: str,
    *,
    into: bool,
    checksum: str,
    owner: tuple[int, int] | None,
    mode: int | None,
) -> CopySource:
    """Download a file; it isn't unpacked, and only its owner can access it unless the step sets a mode."""
    name = address.name if into else posixpath.basename(where)
    if not name:
        raise InvalidInput(
            f"cannot determine filename for source {address.url[:200]}", hint="name the file: ADD URL PATH"
        )
    images = stage.services.images
    file = images.blobs.create_temporary()
    try:
        await address.fetch(file, checksum=checksum)
        chunks = tar_writer.stream_tar(
            lambda packer: packer.add_tree(str(file), name), owner=owner, mode=DOWNLOAD_MODE if mode is None else mode
        )
        return CopySource(await loading.spool(images, chunks), where if into else posixpath.dirname(where))
    finally:
        file.unlink(missing_ok=True)


def is_archive(raw: BinaryIO) -> bool:
    """Return whether a file is a tar, compressed or not; it is rewound afterwards."""
    try:
        return next(iter(TarReader(HashingReader(decompress(raw)))), None) is not None
    except (PydError, OSError, EOFError):
        return False
    finally:
        raw.seek(0)


def _copy_archive(path: str, out: Path) -> bool:
    """Copy a tar's decompressed content; return False for other files."""
    with Path(path).open("rb") as raw:
        if not is_archive(raw):
            return False
        reader = HashingReader(decompress(raw))
        with out.open("wb") as file:
            while data := reader.read(1 << 20):
                file.write(data)
    return True


def _fingerprint(pieces: list[CopySource]) -> str:
    """Return a digest of everything that is copied except times, which identifies it in the cache."""
    hasher = hashlib.sha256()
    kind = "multi" if len(pieces) > 1 else "file"
    for piece in pieces:
        with piece.archive.open("rb") as raw:
            reader = TarReader(raw)
            for entry in reader:
                kind = "dir" if entry.kind == b"5" and len(pieces) == 1 else kind
                header = (entry.name, entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.link, entry.major)
                hasher.update(repr((header, entry.minor, sorted(entry.xattrs.items()), entry.fragments)).encode())
                for _, data in reader.pieces():
                    hasher.update(data)
    return f"{kind}:{hasher.hexdigest()}"


def _unpack(root: RootDirectory, pieces: list[CopySource], owner: tuple[int, int] | None) -> None:
    for piece in pieces:
        make_directory(root, piece.into, owner)
        with piece.archive.open("rb") as raw:
            Unpacker(Path(f"/proc/self/fd/{root.fd}"), layer=False, prefix=posixpath.normpath(piece.into)).run(raw)


def make_directory(root: RootDirectory, path: str, owner: tuple[int, int] | None = None) -> None:
    """Create a directory of an image with its parents, including the missing targets of links inside the image.

    Raises:
        InvalidInput: A file is in the way.
    """
    try:
        os.close(root.make_directories(path, owner=owner, through_links=True))
    except KernelError as error:
        raise InvalidInput(f"can't make the directory {path[:200]}: {error}") from error
