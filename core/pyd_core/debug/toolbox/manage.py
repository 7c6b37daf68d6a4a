"""Adding to the toolbox, taking from it, and carrying it to another machine."""

from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pyd_core.debug.machine import DEBIAN, own_machine
from pyd_core.debug.toolbox import store
from pyd_core.debug.toolbox.apt import Apt, Progress
from pyd_core.debug.toolbox.selection import Selection, chosen, keep
from pyd_core.debug.toolbox.sparse import dig
from pyd_core.errors import Conflict, InvalidInput, NotFound, ToolboxError
from pyd_core.sanitise import safe
from pyd_debugimages.packs import BASE, PACKS

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
"""What Debian calls a package (Debian policy, 5.6.7)."""
_KEY = re.compile(r"[0-9a-f]{32}")


class Stored(msgspec.Struct, frozen=True):
    """A toolbox of the store.

    Attributes:
        name: Its packs and packages.
        folder: Where it lies.
        size: Bytes on disk.
        current: Whether sessions have it.
        machine: What it is for, as `uname -m` names it.
    """

    name: str
    folder: str
    size: int
    current: bool
    machine: str


def stored() -> list[Stored]:
    """Returns the toolboxes of this user's store."""
    root = Path(store.store_root())
    current = chosen().pack()
    found: list[Stored] = []
    for pointer in sorted(root.glob("*")) if root.is_dir() else []:
        if pointer.is_symlink() and pointer.exists():
            folder = str(root / pointer.readlink())
            name, _, machine = pointer.name.rsplit("-", 2)
            is_current = pointer.name == store.pointer(current, machine)
            found.append(Stored(name, folder, _size(Path(folder)), is_current, machine))
    return found


def _size(folder: Path) -> int:
    files = (path.lstat() for path in folder.rglob("*"))
    return sum({status.st_ino: status.st_blocks * 512 for status in files}.values())


def install(names: Sequence[str], progress: Progress) -> str:
    """Adds packs or Debian packages to what sessions have, and returns the toolbox's folder.

    Raises:
        InvalidInput: Not the name of a pack or package.
        NotFound: There is none of that name.
        ToolboxError: It can't be made; the toolbox is as it was.
    """
    for name in names:
        if not _PACKAGE.fullmatch(name):
            raise InvalidInput(f"not a pack or package: {safe(name)!r}", hint="pyd toolbox search WORD finds some")
    return _choose(chosen().adding(names), progress)


def uninstall(names: Sequence[str], progress: Progress) -> str:
    """Takes packs or packages out of what sessions have, and returns the toolbox's folder.

    Raises:
        NotFound: It isn't installed.
        Conflict: The base stays.
        ToolboxError: The smaller one can't be made; the toolbox is as it was.
    """
    now = chosen()
    for name in names:
        if name == BASE.name:
            raise Conflict("every session has the base pack", hint="pyd toolbox rm removes toolboxes from disk")
        if name not in (*now.packs, *now.packages):
            there = ", ".join([*now.packs, *now.packages]) or "nothing but the base"
            raise NotFound(f"{safe(name)} isn't installed", hint=f"installed: {there}", reference="not-installed")
    return _choose(now.without(names), progress)


def _choose(selection: Selection, progress: Progress) -> str:
    pack = selection.pack()
    folder = store.find(pack, store.store_root()) or str(store.build(pack, Path(store.store_root()), progress))
    before = chosen()
    keep(selection)
    if before != selection and before.pack() != BASE:
        store.drop(before.pack(), Path(store.store_root()))
    return folder


def build(progress: Progress, machine: str = "") -> str:
    """Makes the chosen toolbox anew from what apt offers now, and returns its folder."""
    return str(store.build(chosen().pack(), Path(store.store_root()), progress, machine=machine, anew=True))


def search(words: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the packs and packages whose names or summaries have all words, the likeliest first: name and summary.

    Raises:
        NotFound: None has.
    """
    packs = [
        (pack.name, f"pack: {pack.summary}")
        for pack in PACKS.values()
        if all(word.lower() in f"{pack.name} {pack.summary} {' '.join(pack.packages)}".lower() for word in words)
    ]
    own = own_machine()
    apt = Apt(Path(store.store_root()) / store.apt_folder(own), own)
    if not apt.has_lists():
        apt.update(lambda *_: None)
    found = [*packs, *ranked(apt.search(words), words)]
    if not found:
        hint = "summaries are searched too: fewer or other words may find some"
        raise NotFound(f"no pack or package with {safe(' '.join(words))!r}", hint=hint, reference="no-such-package")
    return found


def ranked(found: Sequence[tuple[str, str]], words: Sequence[str]) -> list[tuple[str, str]]:
    """Returns packages with those first that are called so, then those that begin so, have it as a word, and the rest.

    Args:
        found: Names and summaries.
        words: What was searched for.
    """
    wanted = [word.lower() for word in words]

    def order(one: tuple[str, str]) -> tuple[int, str]:
        name, summary = one
        parts = {*re.split(r"[^a-z0-9]+", f"{name} {summary}".lower())}
        ranks = (name in wanted, name.startswith(wanted[0]), parts >= {*wanted})
        return ranks.index(True) if True in ranks else len(ranks), name

    return sorted(found, key=order)


def export(path: Path, progress: Progress, machine: str = "") -> str:
    """Writes the chosen toolbox to a tar, for a machine without a network; returns its name.

    Args:
        path: The tar.
        progress: Told how it goes.
        machine: What the toolbox is for, as `uname -m` names it; this one unless given.

    Raises:
        ToolboxError: It isn't made yet, or can't be written.
    """
    selection = chosen()
    pack = selection.pack()
    folder = store.find_anywhere(pack, machine)
    if folder is None:
        words = f"pyd toolbox build --machine {machine}" if machine else "pyd toolbox build"
        raise ToolboxError("there is no toolbox yet", hint=f"make one: {words}")
    names = sorted(os.path.join(where, name) for where, _, files in os.walk(folder) for name in ("", *files))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with tarfile.open(fresh, "w:gz", compresslevel=1) as tar:
            for done, name in enumerate(names):
                progress("writing", done, len(names))
                inside = name.removeprefix(folder).strip("/")
                tar.add(name, f"{os.path.basename(folder)}/{inside}".rstrip("/"), recursive=False)
            note = msgspec.json.encode({"pointer": store.pointer(pack, machine), "selection": selection})
            entry = tarfile.TarInfo(_NOTE)
            entry.size = len(note)
            tar.addfile(entry, io.BytesIO(note))
        fresh.rename(path)
    except OSError as error:
        raise ToolboxError(f"{path} can't be written: {error.strerror}", hint="is there room?") from error
    finally:
        fresh.unlink(missing_ok=True)
    return pack.name


_NOTE = "toolbox.json"


class _Note(msgspec.Struct):
    pointer: str
    selection: Selection


def bring_in(path: Path, progress: Progress) -> str:
    """Takes a toolbox from a tar that `export` wrote, and makes it the chosen one; returns its name.

    Raises:
        ToolboxError: It is no toolbox, or one of another version; the store is as it was.
    """
    root = Path(store.store_root())
    root.mkdir(parents=True, exist_ok=True)
    building = root / f".building-import-{os.getpid()}"
    try:
        with tarfile.open(path, "r:*") as tar:
            progress("reading", 0, 1)
            tar.extractall(building, filter="tar")
            dig(building)
            progress("reading", 1, 1)
        note = msgspec.json.decode((building / _NOTE).read_bytes(), type=_Note)
        folders = [each for each in building.iterdir() if each.is_dir() and _KEY.fullmatch(each.name)]
        known = [store.pointer(note.selection.pack(), machine) for machine in (own_machine(), *DEBIAN)]
        if len(folders) != 1 or note.pointer not in known:
            raise ToolboxError(
                f"{path} holds a toolbox of another version of pyd, or for a machine that pyd has none for",
                hint="export it there with the same version of pyd",
            )
        if not (root / folders[0].name).exists():
            folders[0].rename(root / folders[0].name)
        store.point(root, note.pointer, folders[0].name)
        keep(note.selection)
    except (OSError, KeyError, tarfile.TarError, msgspec.DecodeError) as error:
        raise ToolboxError(f"{path} holds no toolbox: {error}", hint="pyd toolbox export FILE writes one") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return note.selection.pack().name


def remove(name: str) -> None:
    """Removes a toolbox of the store by its name, unless a session has it.

    Raises:
        NotFound: There is none of that name.
    """
    there = [each.name for each in stored()]
    if name not in there:
        raise NotFound(f"no toolbox {safe(name)!r}", hint=f"there are: {', '.join(there) or 'none'}")
    root = Path(store.store_root())
    for pointer in root.glob(f"{name}-[0-9]*"):
        pointer.unlink()
    store.sweep(root)
    if not stored():
        store.drop_packages(root)
