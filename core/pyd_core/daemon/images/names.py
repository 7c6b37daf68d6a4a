"""Names of images as they are stored and as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.model.reference import Reference, parse


def full_name(reference: Reference) -> str:
    """Return the name as it is stored: with its domain, and its tag or digest."""
    if reference.digest:
        return f"{reference.repository}@{reference.digest}"
    return f"{reference.repository}:{reference.tag}"


def familiar_name(name: str) -> str:
    """Return a stored name in its short form."""
    return str(parse(name))


def with_digests(name: str, names: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Return the names to remove: with a repository's last tag also its digests, which are useless without it.

    Args:
        name: The stored name to remove.
        names: All the image's names with a tag.
        digests: All its names with a digest.
    """
    repository = name.partition("@")[0] if "@" in name else name.rpartition(":")[0]
    if any(other != name and other.rpartition(":")[0] == repository for other in names) or "@" in name:
        return [name]
    return [name, *(other for other in digests if other.partition("@")[0] == repository)]
