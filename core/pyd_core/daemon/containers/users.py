"""Users of containers (`--user`): looked up in the container's own /etc/passwd and /etc/group, never in the host's.

See passwd(5) and group(5). The files are the container's, so links in them stay inside its root.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pyd_core.daemon.containers.oci_spec import Identity
from pyd_core.errors import InvalidInput, KernelError
from pyd_core.linux.openat2 import RootDirectory, open_file
from pyd_core.passwd import GROUP_FIELDS, PASSWD_FIELDS, split_rows

_LIMIT = 4 << 20
_MAX_DIGITS = 20
"""Of a number in a file or request: longer ones are out of range, and more than int() takes."""
RANGE = "uids and gids must be in range 0-2147483647"


def read_inside(root: Path, path: str, limit: int = _LIMIT) -> bytes:
    """Read a regular file inside a root directory; empty when there is none."""
    with RootDirectory(root) as inside:
        try:
            fd = open_file(inside.fd, path)
        except (KernelError, OSError):
            return b""
        with os.fdopen(fd, "rb") as file:
            try:
                return file.read(limit)
            except OSError:
                return b""


def _rows(root: Path, path: str, min_fields: int) -> list[list[str]]:
    return list(split_rows(read_inside(root, path).decode(errors="surrogateescape"), min_fields))


def look_up(root: Path, user: str, more_groups: Sequence[str] = ()) -> Identity:
    """Look up a user.

    Args:
        root: The container's root on the host.
        user: `name`, `uid`, `name:group`, `uid:gid`, or empty for root.
        more_groups: Names or numbers of further groups.

    Raises:
        InvalidInput: A name isn't there, or a number is out of range.
    """
    user, _, group = user.partition(":")
    people = _rows(root, "/etc/passwd", PASSWD_FIELDS)
    groups = _rows(root, "/etc/group", GROUP_FIELDS)
    name, uid, gid, home = "", 0, 0, "/"
    match = next((row for row in people if row[0] == (user or "root")), None)
    if match is None:
        match = next((row for row in people if row[2] == (user or "0")), None)
    if match is not None:
        name, uid, gid, home = match[0], _number(match[2]), _number(match[3]), match[5] or "/"
    elif user.isdecimal():
        uid = _number(user)
    elif user.removeprefix("-").isdecimal():
        raise InvalidInput(RANGE)
    elif user not in {"", "root"}:
        raise InvalidInput(f"unable to find user {user[:60]}: no matching entries in passwd file")
    if not user and match is None:
        home = "/root"
    extra = {_number(row[2]) for row in groups if name and name in row[3].split(",")} if not group else set()
    if group:
        gid = _group(group, groups)
    extra.update(_group(group, groups) for group in more_groups)
    return Identity(uid=uid, gid=gid, groups=tuple(sorted(extra | {gid})), home=home)


def _group(group: str, groups: list[list[str]]) -> int:
    for row in groups:
        if row[0] == group:
            return _number(row[2])
    if group.isdecimal():
        return _number(group)
    raise InvalidInput(f"unable to find group {group[:60]}: no matching entries in group file")


def _number(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else -1
    if not 0 <= value < 1 << 31:
        raise InvalidInput(RANGE)
    return value
