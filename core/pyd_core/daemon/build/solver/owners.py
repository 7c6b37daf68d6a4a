"""Owners of copied files: looked up in a file system of the build, never on the host."""

from __future__ import annotations

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import InvalidInput
from pyd_core.linux.openat2 import RootDirectory, read_in_root
from pyd_core.passwd import GROUP_FIELDS, PASSWD_FIELDS, split_rows

MAX_FILE_BYTES = 4 << 20
MAX_ID = (1 << 31) - 1


def owner_of(
    option: ops_pb2.ChownOpt, user_root: RootDirectory | None, group_root: RootDirectory | None
) -> tuple[int, int]:
    """Return the user and group of an option; without a group, a number is also the group's.

    Raises:
        InvalidInput: A name isn't in the file system's user database.
    """
    uid = gid = 0
    match option.user.WhichOneof("user"):
        case "byID":
            uid = gid = _checked(option.user.byID)
        case "byName":
            row = _find(user_root, "/etc/passwd", option.user.byName.name, PASSWD_FIELDS)
            if row is None:
                raise InvalidInput(f"invalid user index: no user {option.user.byName.name[:60]!r} in /etc/passwd")
            uid, gid = _number(row[2]), _number(row[3])
    match option.group.WhichOneof("user"):
        case "byID":
            gid = _checked(option.group.byID)
        case "byName":
            row = _find(group_root, "/etc/group", option.group.byName.name, GROUP_FIELDS)
            if row is None:
                raise InvalidInput(f"invalid group index: no group {option.group.byName.name[:60]!r} in /etc/group")
            gid = _number(row[2])
    return uid, gid


def _find(root: RootDirectory | None, path: str, name: str, fields: int) -> list[str] | None:
    if root is None:
        return None
    text = read_in_root(root.fd, path, MAX_FILE_BYTES).decode(errors="surrogateescape")
    return next((row for row in split_rows(text, fields) if row[0] == name), None)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 10:
        raise InvalidInput(f"invalid id in the user database: {text[:40]!r}")
    return _checked(int(text))


def _checked(number: int) -> int:
    if not 0 <= number <= MAX_ID:
        raise InvalidInput(f"uids and gids must be in range 0-{MAX_ID}")
    return number
