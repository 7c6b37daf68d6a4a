"""The rules for mount options, checked before anything is created. Rules and messages are Docker Engine's.

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
    """Return a mount's target, normalized.

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
    """Parse the third part of `-v`.

    Args:
        mode: `ro,z` and the like.
        named: Whether a volume is mounted.

    Raises:
        InvalidInput: A word is unknown, contradicts another, or is for the other kind.
    """
    options = [word for word in mode.split(",") if word]
    for word in options:
        if not any(word in group for group in _GROUPS):
            raise InvalidInput(f"invalid mode: {word[:40]}")
    if any(len(group.intersection(options)) > 1 for group in _GROUPS) or len(set(options)) < len(options):
        raise InvalidInput(f"invalid mode: {mode[:80]}")
    wrong = MODES.intersection(options) if named else _COPY.intersection(options)
    if wrong:
        kind, other = ("volume", "a bound directory") if named else ("bind", "a volume")
        raise InvalidInput(f'invalid mount config for type "{kind}": {min(wrong)} is for {other} alone')
    return options


def words_of_others(mode: str) -> list[str]:
    """Parse the second part of `--volumes-from`, which allows neither propagation nor copy options.

    Raises:
        InvalidInput: A word is unknown, contradicts another, or isn't allowed.
    """
    options = words(mode, named=True) if not MODES.intersection(mode.split(",")) else []
    if (not options and mode) or _COPY.intersection(options):
        raise InvalidInput(f"invalid mode: {mode[:80]}")
    return options


def tmpfs_options(text: str) -> list[str]:
    """Parse the options of `--tmpfs`.

    Raises:
        InvalidInput: One is unknown; the kernel's error would be less clear.
    """
    options = [word for word in text.split(",") if word]
    for word in options:
        name, equals, _ = word.partition("=")
        if name not in (_TMPFS_VALUES if equals else _TMPFS_FLAGS):
            raise InvalidInput(f"invalid tmpfs option {word[:60]!r}")
    return options


def check(mount: MountConfig) -> None:
    """Check a `--mount`.

    Raises:
        InvalidInput: A field is missing, makes no sense, or is for mounts of another type.
    """
    wrong = _error_of(mount)
    if wrong:
        raise InvalidInput(f'invalid mount config for type "{mount.type[:40]}": {wrong}')


def _error_of(mount: MountConfig) -> str:
    if mount.type not in {"bind", "volume", "tmpfs"}:
        return "mount type unknown"
    if not mount.target:
        return "field Target must not be empty"
    for name, given, kind in (
        ("BindOptions", mount.bind_options, "bind"),
        ("VolumeOptions", mount.volume_options, "volume"),
        ("TmpfsOptions", mount.tmpfs_options, "tmpfs"),
    ):
        if given is not None and mount.type != kind:
            return f"field {name} must not be specified"
    return {"bind": _bind_error, "volume": _volume_error, "tmpfs": _tmpfs_error}[mount.type](mount)


def _bind_error(mount: MountConfig) -> str:
    if not mount.source:
        return "field Source must not be empty"
    if not mount.source.startswith("/"):
        return f"invalid mount path: '{mount.source[:100]}' mount path must be absolute"
    return _wrong_options(mount.bind_options, read_only=mount.read_only) if mount.bind_options is not None else ""


def _wrong_options(bind: BindOptions, *, read_only: bool) -> str:
    if bind.propagation and bind.propagation not in MODES:
        return f"invalid propagation mode: {bind.propagation[:40]}"
    if bind.read_only_non_recursive and bind.read_only_force_recursive:
        return "ReadOnlyNonRecursive and ReadOnlyForceRecursive are in conflict"
    if (bind.read_only_non_recursive or bind.read_only_force_recursive) and not read_only:
        return "a read-only mode is set, but the mount isn't read-only"
    return ""


def _volume_error(mount: MountConfig) -> str:
    subpath = mount.volume_options.subpath if mount.volume_options else ""
    if subpath and not mount.source:
        return "must not set Subpath when using anonymous volumes"
    if subpath and (subpath.startswith("/") or f"{posixpath.normpath(subpath)}/".startswith("../")):
        return "subpath must be a relative path within the volume"
    return "must not set ReadOnly mode when using anonymous volumes" if mount.read_only and not mount.source else ""


def _tmpfs_error(mount: MountConfig) -> str:
    if mount.source:
        return "field Source must not be specified"
    given = mount.tmpfs_options
    if given is not None and given.size_bytes < 0:
        return f"the size of a tmpfs is bytes, not {given.size_bytes}"
    if given is not None and not 0 <= given.mode <= 0o7777:
        return f"the mode of a tmpfs is from 0 to 0o7777, not {given.mode}"
    return ""
