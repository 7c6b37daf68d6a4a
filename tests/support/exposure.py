"""Records of other processes by the attack program `watch`, compared with what a session may expose."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = str(Path(__file__).resolve().parents[2])
HOST_PATHS = ("/var/lib/pyd", "/var/lib/docker", "/tmp/pyd", CHECKOUT, "/home/", "/root/", "site-packages", "pyd_core")
"""Parts of paths that only the host has."""


@dataclass(frozen=True)
class Sighting:
    """Sighting of a process: its kind in `watch`, and its content."""

    pid: int
    kind: str
    value: str


def parse_sightings(text: str) -> list[Sighting]:
    """Parse the lines of `watch`; others, which the session prints, are passed over."""
    matches = (re.fullmatch(r"(\d+) (\w+) (.*)", line) for line in text.splitlines())
    return [Sighting(int(match[1]), match[2], match[3]) for match in matches if match]


def find_leaks(sightings: Iterable[Sighting], secret: str, container: Iterable[str]) -> list[Sighting]:
    """Return what none of a session's processes may show to its target.

    Args:
        sightings: What was seen.
        secret: A value of the environment of the session's user.
        container: Programs that the image has, beside those of the toolbox.
    """
    programs = ("/dev/.pyd/", "/memfd:", *container)
    return [seen for seen in sightings if _is_leak(seen, secret, programs)]


def _is_leak(seen: Sighting, secret: str, programs: tuple[str, ...]) -> bool:
    value = seen.value
    link_target = value.partition(" -> ")[2]
    leaks = {
        "exe": not value.startswith(programs),
        "cwd": value not in ("/", "/work"),
        "root": value not in ("/", "/work"),
        "fd": not _is_own_descriptor(link_target),
        "getfd": not _is_own_descriptor(link_target),
        # Libraries of the interpreter's have names, and are no more than that.
        "map": not value.startswith(programs) and _LIBRARY.search(value) is None,
        **dict.fromkeys(("reached", "memory", "mapfile"), True),
        **dict.fromkeys(("environ", "cmdline", "comm"), secret in value or any(path in value for path in HOST_PATHS)),
    }
    return leaks.get(seen.kind, False)


_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?$|^/dev/zero|^/SYSV|/locale-archive$|/gconv-modules.cache$")

_OWN = re.compile(
    r"/dev/null|/dev/pts/\d+|/dev/ptmx|pipe:\[\d+\]|socket:\[\d+\]|anon_inode:.*|/memfd:.*"
    r"|/(bin|dev/\.pyd)/.*|/proc(/\d+/.*|/filesystems)?|/(tmp|work|out)?(/[^/]*)?|/etc/.*"
)
"""What a descriptor may lead to: things of the session's own, and files of the container's.

libselinux, which `ls` and its like of the toolbox load, reads /proc/filesystems when it starts.
"""


def _is_own_descriptor(target: str) -> bool:
    return _OWN.fullmatch(target) is not None
