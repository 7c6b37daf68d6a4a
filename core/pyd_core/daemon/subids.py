"""The ids of containers with `userns-remap`: ranges of /etc/subuid and /etc/subgid. See subuid(5), useradd(8)."""

from __future__ import annotations

import grp
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pyd_core.errors import ConfigError
from pyd_core.linux.userns import IdMap, IdRange

DEFAULT = "default"
DEFAULT_USER = "dockremap"
"""The user of `default`; created where there is none, as by Docker Engine."""
MIN_IDS = 65536
"""How many ids a container needs: its highest standard user id is 65534."""
FIRST_ID = 100000
"""The start of new ranges, as SUB_UID_MIN of login.defs(5)."""


def find(text: str, *, users: Path = Path("/etc/subuid"), groups: Path = Path("/etc/subgid")) -> IdMap:
    """Return the ids of a setting.

    Args:
        text: `default`, `USER` or `USER:GROUP`, by names or numbers.
        users: The file with ranges of user ids.
        groups: The one of group ids.

    Raises:
        ConfigError: There are no such user and group, or too few ids for them.
    """
    if text == DEFAULT:
        _make_default(users, groups)
        text = DEFAULT_USER
    user, colon, group = text.partition(":")
    if not user or (colon and not group) or ":" in group:
        raise ConfigError(f"userns-remap: not a user: {text[:80]!r}", hint="write default, USER or USER:GROUP")
    person = _user(user)
    whose = [person.pw_name, str(person.pw_uid)]
    if group:
        group_ranges = _group(group)
        shared = [group_ranges.gr_name, str(group_ranges.gr_gid)]
    else:
        shared = whose
    return IdMap(users=_ranges(users, whose), groups=_ranges(groups, shared, whose))


def _user(text: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(text)) if text.isdecimal() else pwd.getpwnam(text)
    except (KeyError, OverflowError):
        raise ConfigError(f"userns-remap: there is no user {text[:80]!r}", hint="name one of getent passwd") from None


def _group(text: str) -> grp.struct_group:
    try:
        return grp.getgrgid(int(text)) if text.isdecimal() else grp.getgrnam(text)
    except (KeyError, OverflowError):
        raise ConfigError(f"userns-remap: there is no group {text[:80]!r}", hint="name one of getent group") from None


def parse(text: str, names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first id and the length of each range that a file gives to one of the names.

    Raises:
        ConfigError: A line of theirs is invalid.
    """
    ranges: list[tuple[int, int]] = []
    for line in text.splitlines():
        fields = line.strip().split(":")
        if fields[0] not in names:
            continue
        if len(fields) != 3 or not (fields[1].isdecimal() and fields[2].isdecimal()):
            raise ConfigError(f"not a range of ids: {line.strip()[:80]!r}", hint="write NAME:FIRST:COUNT")
        ranges.append((int(fields[1]), int(fields[2])))
    return ranges


def _ranges(file: Path, *whose: Sequence[str]) -> tuple[IdRange, ...]:
    """Map a container's ids to the ranges of a file, in order, its root first."""
    text = file.read_text(errors="replace") if file.exists() else ""
    assigned = next((ranges for names in whose if (ranges := parse(text, names))), [])
    hint = f"add a line {whose[-1][0]}:{FIRST_ID}:{MIN_IDS} to {file}, with unused ids"
    if not assigned:
        raise ConfigError(f"userns-remap: {file} has no ids for {whose[0][0]}", hint=hint)
    if sum(count for _, count in assigned) < MIN_IDS:
        raise ConfigError(f"userns-remap: {file} has fewer than {MIN_IDS} ids for {whose[0][0]}", hint=hint)
    laid: list[IdRange] = []
    for first, count in sorted(assigned):
        end = laid[-1].outside + laid[-1].count if laid else 1
        if first < end or first + count > 1 << 32:
            raise ConfigError(f"userns-remap: {file} gives {whose[0][0]} root's id, or one twice", hint=hint)
        laid.append(IdRange(sum(earlier.count for earlier in laid), first, count))
    return tuple(laid)


def _make_default(users: Path, groups: Path) -> None:
    """Create the user of `default`, and give it ids where it has none."""
    try:
        pwd.getpwnam(DEFAULT_USER)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--no-log-init", "--home-dir", "/"]
        _run(["useradd", *options, "--shell", "/usr/sbin/nologin", DEFAULT_USER])
    for file, option in ((users, "--add-subuids"), (groups, "--add-subgids")):
        text = file.read_text(errors="replace") if file.exists() else ""
        if parse(text, [DEFAULT_USER]):
            continue
        taken = [parse(line, [line.partition(":")[0]]) for line in text.splitlines() if ":" in line]
        first = max([FIRST_ID, *(begin + count for ranges in taken for begin, count in ranges)])
        _run(["usermod", option, f"{first}-{first + MIN_IDS - 1}", DEFAULT_USER])


def _run(command: list[str]) -> None:
    hint = f"make a user {DEFAULT_USER} with ranges in /etc/subuid and /etc/subgid"
    if shutil.which(command[0]) is None:
        raise ConfigError(f"userns-remap: {command[0]} is missing", hint=hint)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        error_line = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ConfigError(f"userns-remap: {command[0]} failed: {error_line}", hint=hint)
