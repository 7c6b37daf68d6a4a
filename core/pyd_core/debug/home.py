"""The home directory of a session's user in the target."""

from __future__ import annotations


def find_home(passwd: bytes, uid: int, *, has_root: bool) -> str:
    """Return a user's home directory by the target's passwd file (passwd(5)).

    Args:
        passwd: The file's content; empty where there is none.
        uid: The user, as the target numbers users.
        has_root: Whether the target has `/root`.
    """
    if not passwd:
        return "/root" if uid == 0 and has_root else "/"
    for line in passwd.decode(errors="replace").splitlines():
        fields = line.split(":")
        if len(fields) >= 7 and fields[2] == str(uid) and fields[5].startswith("/"):
            return fields[5].replace("\0", "")
    return "/"
