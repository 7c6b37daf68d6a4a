"""What lies in a container's directories, and the ways to look there."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

MOST_ENTRIES = 20_000
"""Entries of a directory that are told of at most."""

Kind = Literal["directory", "file", "link", "pipe", "socket", "device"]


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One name in a directory. Texts are hostile.

    Attributes:
        name: Without the directory; bytes that aren't UTF-8 are surrogates (PEP 383).
        kind: What it is; a link is not followed.
        mode: Permission bits.
        uid: The owner, as this machine or the archive numbers them.
        gid: The group, likewise.
        size: Bytes.
        modified_ns: When its content last changed, nanoseconds since the epoch.
        link: Where a link points.
    """

    name: str
    kind: Kind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    modified_ns: int = 0
    link: str = ""


class DirectoryListing(msgspec.Struct, frozen=True):
    """A directory.

    Attributes:
        entries: Directories first, then by name.
        complete: Whether this is all there is.
    """

    entries: Sequence[FileEntry]
    complete: bool = True


class Files(Protocol):
    """A way to a container's files. Paths are absolute inside the container, and links never lead out of it.

    Methods raise `NotFound` for what isn't there or is another kind of thing, `Refused` where rights are missing.
    """

    way: str
    """How they are read, in a few words."""

    async def list(self, path: str) -> DirectoryListing:
        """Returns what is in a directory, links followed."""
        ...

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """Returns up to `size` bytes of a regular file, links followed."""
        ...


def kind_of(mode: int) -> Kind:
    """Returns what a mode (inode(7)) says that it is."""
    kinds: dict[int, Kind] = {
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "link",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
    }
    return kinds.get(stat.S_IFMT(mode), "file")


def in_order(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Returns directories first, then by name."""
    return sorted(entries, key=lambda entry: (entry.kind != "directory", entry.name))


def below(directory: str, name: str) -> str:
    """Returns the path of a name in a directory."""
    return f"{directory.rstrip('/')}/{name}"
