"""What of a mount's options goes together, before anything is made. Rules and words are Docker Engine's.

See `linux_parser.go` and `validate.go` of its volume/mounts.
"""

from __future__ import annotations

import os
import posixpath

from pyd_core.daemon.containers.propagation import MODES
from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import BindOptions, MountConfig

_COPY = {"nocopy"}
_GROUPS = ({"ro", "rw"}, {"z", "Z"}, set(MODES), _COPY, {"cached", "delegated", "consistent"})
_TMPFS_VALUES = frozenset({"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge"})
_TMPFS_FLAGS = MODES | frozenset(
    "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime "  # noqa: SIM905
    "nodiratime bind rbind unbindable runbindable relatime norelatime strictatime nostrictatime tmpcopyup".split()
)


def target(path: str) -> str:
    """Returns where a mount goes, in its shortest form.

    Raises:
        InvalidInput: It isn't absolute, or the root itself.
    """
    clean = os.path.normpath(path)
    if not path.startswith("/"):
        raise InvalidInput(f"invalid mount path: {path[:100]!r} mount path must be absolute")
    if clean in {"/", "//"}:
        raise InvalidInput("invalid specification: destination can't be '/'")
    return clean


def words(mode: str, *, named: bool) -> list[str]:
    """Reads the third part of `-v`.

    Args:
        mode: `ro,z` and the like.
        named: Whether it is a volume that is mounted.

    Raises:
        InvalidInput: A word is unknown, contradicts another, or is for the other kind.
    """
    found = [word for word in mode.split(",") if word]
    for word in found:
        if not any(word in group for group in _GROUPS):
            raise InvalidInput(f"invalid mode: {word[:40]}")
    if any(len(group.intersection(found)) > 1 for group in _GROUPS) or len(set(found)) < len(found):
        raise InvalidInput(f"invalid mode: {mode[:80]}")
    wrong = MODES.intersection(found) if named else _COPY.intersection(found)
    if wrong:
        kind, other = ("volume", "a bound directory") if named else ("bind", "a volume")
        raise InvalidInput(f'invalid mount config for type "{kind}": {min(wrong)} is for {other} alone')
    return found


def words_of_others(mode: str) -> list[str]:
    """Reads the second part of `--volumes-from`, which says neither how mounts are passed on nor what is copied.

    Raises:
        InvalidInput: A word is unknown, contradicts another, or says so.
    """
    found = words(mode, named=True) if not MODES.intersection(mode.split(",")) else []
    if (not found and mode) or _COPY.intersection(found):
        raise InvalidInput(f"invalid mode: {mode[:80]}")
    return found


def tmpfs_options(text: str) -> list[str]:
    """Reads the options of `--tmpfs`.

    Raises:
        InvalidInput: One is unknown: the kernel would say less.
    """
    found = [word for word in text.split(",") if word]
    for word in found:
        name, equals, _ = word.partition("=")
        if name not in (_TMPFS_VALUES if equals else _TMPFS_FLAGS):
            raise InvalidInput(f"invalid tmpfs option {word[:60]!r}")
    return found


def check(each: MountConfig) -> None:
    """Looks a `--mount` over.

    Raises:
        InvalidInput: A field is missing, makes no sense, or is for mounts of another type.
    """
    wrong = _wrong(each)
    if wrong:
        raise InvalidInput(f'invalid mount config for type "{each.type[:40]}": {wrong}')


def _wrong(each: MountConfig) -> str:
    if each.type not in {"bind", "volume", "tmpfs"}:
        return "mount type unknown"
    if not each.target:
        return "field Target must not be empty"
    for name, given, kind in (
        ("BindOptions", each.bind_options, "bind"),
        ("VolumeOptions", each.volume_options, "volume"),
        ("TmpfsOptions", each.tmpfs_options, "tmpfs"),
    ):
        if given is not None and each.type != kind:
            return f"field {name} must not be specified"
    return {"bind": _wrong_bind, "volume": _wrong_volume, "tmpfs": _wrong_tmpfs}[each.type](each)


def _wrong_bind(each: MountConfig) -> str:
    if not each.source:
        return "field Source must not be empty"
    if not each.source.startswith("/"):
        return f"invalid mount path: '{each.source[:100]}' mount path must be absolute"
    return _wrong_options(each.bind_options, read_only=each.read_only) if each.bind_options is not None else ""


def _wrong_options(bind: BindOptions, *, read_only: bool) -> str:
    if bind.propagation and bind.propagation not in MODES:
        return f"invalid propagation mode: {bind.propagation[:40]}"
    if bind.read_only_non_recursive and bind.read_only_force_recursive:
        return "ReadOnlyNonRecursive and ReadOnlyForceRecursive are in conflict"
    if (bind.read_only_non_recursive or bind.read_only_force_recursive) and not read_only:
        return "how it is read-only is told, but not that it is"
    return ""


def _wrong_volume(each: MountConfig) -> str:
    subpath = each.volume_options.subpath if each.volume_options else ""
    if subpath and not each.source:
        return "must not set Subpath when using anonymous volumes"
    if subpath and (subpath.startswith("/") or f"{posixpath.normpath(subpath)}/".startswith("../")):
        return "subpath must be a relative path within the volume"
    return "must not set ReadOnly mode when using anonymous volumes" if each.read_only and not each.source else ""


def _wrong_tmpfs(each: MountConfig) -> str:
    if each.source:
        return "field Source must not be specified"
    given = each.tmpfs_options
    if given is not None and given.size_bytes < 0:
        return f"the size of a tmpfs is bytes, not {given.size_bytes}"
    if given is not None and not 0 <= given.mode <= 0o7777:
        return f"the mode of a tmpfs is from 0 to 0o7777, not {given.mode}"
    return ""
