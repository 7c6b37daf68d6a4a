"""Paths inside containers, as the archive API reports them."""

from __future__ import annotations

import binascii
from collections.abc import Mapping

import msgspec

from pyd_core.errors import ProtocolError

STAT_HEADER = "x-docker-container-path-stat"

_DIRECTORY = 1 << 31
"""Bit of Go's `fs.FileMode`, like the next one."""
_LINK = 1 << 27


class PathStat(msgspec.Struct, frozen=True, kw_only=True):
    """Type and size of a path, from the header of `HEAD /containers/{id}/archive`."""

    name: str = ""
    size: int = 0
    """Bytes."""
    mode: int = 0
    """Go's `fs.FileMode`, whose type bits aren't those of stat(2)."""
    modified: str = msgspec.field(name="mtime", default="")
    link_target: str = msgspec.field(name="linkTarget", default="")

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return bool(self.mode & _DIRECTORY)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return bool(self.mode & _LINK)


def decode_stat(headers: Mapping[str, str]) -> PathStat:
    """Decode the header: base64 of JSON.

    Raises:
        ProtocolError: The header is missing, or can't be read.
    """
    try:
        return msgspec.json.decode(binascii.a2b_base64(headers.get(STAT_HEADER, "")), type=PathStat)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise ProtocolError(f"the engine's header with a path's type can't be read: {error}") from error
