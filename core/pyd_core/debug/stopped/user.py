"""Resolution of a container's configured user by the container's own /etc/passwd and /etc/group."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.passwd import is_id, split_rows

Read = Callable[[str], str]
"""Returns the text of a file in the container; an empty one for a file that isn't there."""


def resolve_user(configured: str, read: Read) -> tuple[int, int, tuple[int, ...]]:
    """Return uid, gid and further groups for `NAME|UID[:NAME|GID]`, as runtimes take it; empty is root.

    Raises:
        LookupError: The name is in neither file.
    """
    user, _, group = configured.partition(":")
    entry = next((fields for fields in _lines(read, "/etc/passwd", 4) if user in (fields[0], fields[2])), None)
    if entry is not None:
        uid, gid, name = int(entry[2]), int(entry[3]), entry[0]
    elif is_id(user) or not user:
        uid, gid, name = int(user or 0), 0, ""
    else:
        raise LookupError(user)
    if group:
        named = next((fields for fields in _lines(read, "/etc/group", 3) if group in (fields[0], fields[2])), None)
        if named is None and not is_id(group):
            raise LookupError(group)
        return uid, int(named[2] if named else group), ()
    member = tuple(int(fields[2]) for fields in _lines(read, "/etc/group", 4) if name and name in fields[3].split(","))
    return uid, gid, member


def _lines(read: Read, path: str, min_fields: int) -> list[list[str]]:
    """Return the rows whose ids are numbers."""
    numbers = slice(2, min(min_fields, 4) if path.endswith("passwd") else 3)
    return [fields for fields in split_rows(read(path), min_fields) if all(is_id(text) for text in fields[numbers])]
