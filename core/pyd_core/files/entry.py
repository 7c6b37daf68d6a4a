"""Entries of a container's directories, and the protocol for access to its files."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

MAX_ENTRIES = 20_000
"""Maximum number of entries in a listing."""

Kind = Literal["directory", "file", "link", "pipe", "socket", "device"]


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Entry of a directory. Its texts are hostile input.

    Attributes:
        name: Without the directory; bytes that aren't UTF-8 are surrogates (PEP 383).
        kind: The type; links aren't followed.
        mode: Permission bits.
        uid: The owner, as numbered on this machine or in the archive.
        gid: The group, numbered the same way.
        size: Bytes.
        modified_ns: Time of the last change of its content, in nanoseconds since the epoch.
        link: The target of a link.
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
    """Entries of a directory.

    Attributes:
        entries: Directories first, then by name.
        complete: Whether the listing has all entries.
    """

    entries: Sequence[FileEntry]
    complete: bool = True


class Files(Protocol):
    """Access to a container's files. Paths are absolute inside the container, and links never lead out of it.

    Methods raise `NotFound` for missing paths and for files of another type, `Refused` where permissions are missing.
    """

    way: str
    """How the files are read, in a few words."""

    async def list(self, path: str) -> DirectoryListing:
        """Return the entries of a directory, following links."""
        ...

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """Return up to `size` bytes of a regular file, following links."""
        ...


def kind_of(mode: int) -> Kind:
    """Return the type of file that a mode (inode(7)) stands for."""
    kinds: dict[int, Kind] = {
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "link",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
    }
    return kinds.get(stat.S_IFMT(mode), "file")


def sort_entries(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """Return entries sorted: directories first, then by name."""
    return sorted(entries, key=lambda entry: (entry.kind != "directory", entry.name))


def join_path(directory: str, name: str) -> str:
    """Return the path of a name in a directory."""
    return f"{directory.rstrip('/')}/{name}"
