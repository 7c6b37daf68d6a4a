"""Which members of an archive from a container, or from an engine elsewhere, are written to a directory here.

`tarfile`'s data filter decides by `os.path.realpath`, which stops resolving names beyond PATH_MAX. Before Python
3.11.13, 3.12.11 and 3.13.4 an archive of long names leads it out (CVE-2025-4517). Here no member is written through a
link at all.
"""

from __future__ import annotations

import os
import stat
import tarfile


def data_filter(member: tarfile.TarInfo, directory: str) -> tarfile.TarInfo | None:
    """Returns a member as it is to be written, as `tarfile.data_filter` does.

    Args:
        member: A member that is about to be extracted.
        directory: Where to; what has been extracted already is there.

    Raises:
        tarfile.FilterError: It would be written elsewhere, or through a link.
    """
    checked = tarfile.data_filter(member, directory)
    _refuse_links(member, member.name, directory, whole=not member.issym())
    if member.islnk():
        _refuse_links(member, member.linkname, directory, whole=True)
    return checked


def _refuse_links(member: tarfile.TarInfo, name: str, directory: str, *, whole: bool) -> None:
    """Refuses a name that has a link on its way; with `whole` one that is a link itself, too."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    place = directory
    for number, part in enumerate(parts, 1):
        place = f"{place}/{part}"
        try:
            is_link = stat.S_ISLNK(os.lstat(place).st_mode)
        except FileNotFoundError:
            return
        except OSError as error:  # a name that is too long to look at
            raise tarfile.OutsideDestinationError(member, place) from error
        if part == ".." or (is_link and (whole or number < len(parts))):
            raise tarfile.OutsideDestinationError(member, place)
