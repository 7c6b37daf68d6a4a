"""Rows of a container's passwd and group files (passwd(5), group(5)); their content is the container's, and hostile."""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would delay short sessions
if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWD_FIELDS, GROUP_FIELDS = 7, 4
MAX_ID = 2**32 - 2
_MAX_ID_DIGITS = 10


def split_rows(text: str, min_fields: int) -> Iterator[list[str]]:
    """Yield the fields of each row that has enough of them."""
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= min_fields:
            yield fields


def is_id(text: str) -> bool:
    """Return whether a text is the number of a user or group."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_ID_DIGITS and int(text) <= MAX_ID


def find_home(passwd: bytes, uid: int, *, has_root: bool) -> str:
    """Return a user's home directory.

    Args:
        passwd: The content of the passwd file; empty where there is none.
        uid: The user, as the container numbers users.
        has_root: Whether the container has `/root`.
    """
    if not passwd:
        return "/root" if uid == 0 and has_root else "/"
    for fields in split_rows(passwd.decode(errors="replace"), PASSWD_FIELDS):
        if fields[2] == str(uid) and fields[5].startswith("/"):
            return fields[5].replace("\0", "")
    return "/"
