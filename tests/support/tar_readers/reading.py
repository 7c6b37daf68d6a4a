"""Comparable results of reading an archive."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Item:
    """Entry of an archive."""

    name: bytes
    kind: str
    """tar(5)'s type flag."""
    link: bytes = b""
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Reading:
    """A whole archive."""

    items: tuple[Item, ...]
    data: bytes
    """The contents of all files, one after the other."""
    directories: frozenset[int] = field(default=frozenset(), compare=False)
    """Items that are empty files with a directory's name: GNU tar and libarchive make directories of them."""

    def alternative(self) -> Reading:
        """Return the archive as GNU tar and libarchive read it."""
        items = [
            replace(item, kind="5") if index in self.directories else item for index, item in enumerate(self.items)
        ]
        return Reading(tuple(items), self.data)


def item(name: bytes, kind: str, link: bytes, *, size: int, mode: int, uid: int, gid: int) -> Item:
    """Return an entry with nothing in it that readers may differ in."""
    return Item(
        name=name.rstrip(b"/"),
        kind=kind,
        link=link if kind in "12" else b"",
        size=size if kind == "0" else 0,
        mode=0 if kind == "2" else mode & 0o7777,
        uid=uid,
        gid=gid,
    )
