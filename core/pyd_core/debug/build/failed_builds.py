"""Builds of this user that failed: how to solve them again, for `pyd debug build:` on builders that keep no failure."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pyd_core.buildkit.client.definition import BuildDefinition

MAX_KEPT = 20


class FailedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build that failed.

    Attributes:
        definition: Its options as they were written; values of secrets aren't among them.
        directory: The working directory, in which relative paths of the options lie.
    """

    definition: BuildDefinition
    directory: str


def _path(directory: Path, reference: str) -> Path | None:
    return directory / f"{reference}.json" if reference.isascii() and reference.isalnum() else None


def remember(directory: Path | None, reference: str, definition: BuildDefinition) -> bool:
    """Keep a build that failed, and forget the oldest; return whether it could be kept.

    A build whose files came from standard input can't be solved again. The file holds build arguments, so only its
    owner reads it. No directory keeps nothing.
    """
    if directory is None or "-" in {definition.context, definition.dockerfile}:
        return False
    path = _path(directory, reference)
    if path is None:
        return False
    body = msgspec.json.encode(FailedBuild(definition=definition, directory=str(Path.cwd())))
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(body)
        kept = sorted(directory.glob("*.json"), key=lambda item: item.stat().st_mtime_ns)
        for old in kept[: max(0, len(kept) - MAX_KEPT)]:
            old.unlink(missing_ok=True)
    except OSError:  # a full disk, or a directory of another user: the build's own error matters more
        return False
    return True


def find(directory: Path | None, reference: str) -> FailedBuild | None:
    """Return a build that failed; None if it isn't known here."""
    path = _path(directory, reference) if directory is not None else None
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=FailedBuild)
    except (OSError, msgspec.DecodeError):
        return None
