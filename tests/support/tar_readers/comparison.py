"""Judging one archive: no reading of our own that others contradict, and no refusal of what others agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from support.tar_readers.generator import Generator
from support.tar_readers.readers import Go, Libarchive, gnu, ours, python
from support.tar_readers.reading import Reading

Reader = Callable[[bytes], Reading | None]


@contextmanager
def other_readers(directory: Path) -> Iterator[dict[str, Reader]]:
    """Give those that are installed, by name; GNU tar and Python always are.

    Args:
        directory: Where the program that reads with Go is built.
    """
    readers: dict[str, Reader] = {"gnu": gnu, "python": python}
    with ExitStack() as stack:
        if Libarchive.is_installed():
            readers["libarchive"] = Libarchive()
        if Go.is_installed():
            readers["go"] = stack.enter_context(closing(Go(directory)))
        yield readers


def contradictions(seed: int, others: Mapping[str, Reader]) -> str:
    """Make an archive from a seed and return how pyd's reading of it is contradicted, with the seed."""
    generator = Generator(seed)
    archive = generator.archive()
    why = contradiction(archive, others, has_globals=generator.has_globals)
    return f"seed {seed}: {why}" if why else ""


def contradiction(archive: bytes, others: Mapping[str, Reader], *, has_globals: bool = False) -> str:
    """Return how pyd's reading is contradicted; empty where it isn't.

    * Where Go reads an archive, pyd reads the same, because Docker Engine reads with Go.
    * Where Go refuses it, and two others agree on a reading, pyd's is that of one of the others, or a refusal.
    * What all others agree on, pyd reads. That isn't judged without Go, which may be the one that refuses it.

    Args:
        archive: The archive.
        others: Those it is compared with, by name.
        has_globals: Whether a global header says something about members. Go and libarchive ignore that, and pyd with
            them; GNU tar and Python don't, so they can't be compared.
    """
    mine = ours(archive)
    theirs = {name: reader(archive) for name, reader in others.items()}
    readings = [reading for reading in theirs.values() if reading is not None]
    if mine is None:
        agreed = "go" in theirs and len(readings) == len(theirs) and len(set(readings)) == 1
        return "refused, although all others agree" if agreed else ""
    if has_globals:
        readings = [reading for name, reading in theirs.items() if name in {"go", "libarchive"} and reading is not None]
    if theirs.get("go", mine) not in {mine, None}:
        return "Go reads it otherwise"
    if mine in readings or mine.alternative() in readings:
        return ""
    if any(readings.count(reading) > 1 for reading in readings):
        return "two others agree on another reading"
    return ""
