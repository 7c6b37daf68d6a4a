"""Extraction filter for archives from a container, or from an engine on another machine.

`tarfile`'s data filter relies on `os.path.realpath`, which stops resolving names beyond PATH_MAX. Before Python
3.11.13, 3.12.11 and 3.13.4 an archive of long names can escape it (CVE-2025-4517). This filter never writes a member
through a link.
"""

from __future__ import annotations

import os
import stat
import tarfile


def data_filter(member: tarfile.TarInfo, directory: str) -> tarfile.TarInfo | None:
    """Return a member in the form to extract, as `tarfile.data_filter` does.

    Args:
        member: A member that is about to be extracted.
        directory: The destination, which contains the members extracted so far.

    Raises:
        tarfile.FilterError: It would be written outside, or through a link.
    """
    checked = tarfile.data_filter(member, directory)
    _refuse_links(member, member.name, directory, whole=not member.issym())
    if member.islnk():
        _refuse_links(member, member.linkname, directory, whole=True)
    return checked


def _refuse_links(member: tarfile.TarInfo, name: str, directory: str, *, whole: bool) -> None:
    """Refuse a name with a link among its parents; with `whole`, also a name that is a link itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    path = directory
    for number, part in enumerate(parts, 1):
        path = f"{path}/{part}"
        try:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        except FileNotFoundError:
            return
        except OSError as error:  # the name is too long to check
            raise tarfile.OutsideDestinationError(member, path) from error
        if part == ".." or (is_link and (whole or number < len(parts))):
            raise tarfile.OutsideDestinationError(member, path)
