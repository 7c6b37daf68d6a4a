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
from pyd_core.debug.toolbox.selection import Selection, load_selection, save_selection
from pyd_core.debug.toolbox.sparse import dig
from pyd_core.errors import Conflict, InvalidInput, NotFound, ToolboxError
from pyd_core.sanitise import safe
from pyd_debugimages.packs import BASE, PACKS

_PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
"""A Debian package's name (Debian policy, 5.6.7)."""
_KEY = re.compile(r"[0-9a-f]{32}")


class StoredToolbox(msgspec.Struct, frozen=True):
    """A toolbox of the store.

    Attributes:
        name: Its packs and packages.
        directory: Its directory.
        size: Bytes on disk.
        current: Whether sessions have it.
        machine: The machine it is for, as `uname -m` names it.
    """

    name: str
    directory: str = msgspec.field(name="folder")
    size: int
    current: bool
    machine: str


def list_stored() -> list[StoredToolbox]:
    """Return the toolboxes of this user's store."""
    root = Path(store.store_root())
    current = load_selection().pack()
    toolboxes: list[StoredToolbox] = []
    for pointer in sorted(root.glob("*")) if root.is_dir() else []:
        if pointer.is_symlink() and pointer.exists():
            directory = str(root / pointer.readlink())
            name, _, machine = pointer.name.rsplit("-", 2)
            is_current = pointer.name == store.pointer(current, machine)
            toolboxes.append(StoredToolbox(name, directory, _size(Path(directory)), is_current, machine))
    return toolboxes


def _size(directory: Path) -> int:
    files = (path.lstat() for path in directory.rglob("*"))
    return sum({status.st_ino: status.st_blocks * 512 for status in files}.values())


def install(names: Sequence[str], progress: Progress) -> str:
    """Add packs or Debian packages to what sessions have, and return the toolbox's directory.

    Raises:
        InvalidInput: Not the name of a pack or package.
        NotFound: There is none of that name.
        ToolboxError: It can't be made; the toolbox is as it was.
    """
    for name in names:
        if not _PACKAGE_NAME.fullmatch(name):
            raise InvalidInput(f"not a pack or package: {safe(name)!r}", hint="pyd toolbox search WORD finds some")
    return _choose(load_selection().adding(names), progress)


def uninstall(names: Sequence[str], progress: Progress) -> str:
    """Take packs or packages out of what sessions have, and return the toolbox's directory.

    Raises:
        NotFound: It isn't installed.
        Conflict: The base stays.
        ToolboxError: The smaller one can't be made; the toolbox is as it was.
    """
    now = load_selection()
    for name in names:
        if name == BASE.name:
            raise Conflict("every session has the base pack", hint="pyd toolbox rm removes toolboxes from disk")
        if name not in (*now.packs, *now.packages):
            there = ", ".join([*now.packs, *now.packages]) or "nothing but the base"
            raise NotFound(f"{safe(name)} isn't installed", hint=f"installed: {there}", reference="not-installed")
    return _choose(now.without(names), progress)


def _choose(selection: Selection, progress: Progress) -> str:
    pack = selection.pack()
    directory = store.find(pack, store.store_root()) or str(store.build(pack, Path(store.store_root()), progress))
    before = load_selection()
    save_selection(selection)
    if before != selection and before.pack() != BASE:
        store.drop(before.pack(), Path(store.store_root()))
    return directory


def build(progress: Progress, machine: str = "") -> str:
    """Rebuild the chosen toolbox from the packages that apt has now, and return its directory."""
    return str(store.build(load_selection().pack(), Path(store.store_root()), progress, machine=machine, rebuild=True))


def search(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the packs and packages whose names or summaries have all words, the likeliest first: name and summary.

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
    results = [*packs, *rank(apt.search(words), words)]
    if not results:
        hint = "summaries are searched too: fewer or other words may find some"
        raise NotFound(f"no pack or package with {safe(' '.join(words))!r}", hint=hint, reference="no-such-package")
    return results


def rank(results: Sequence[tuple[str, str]], words: Sequence[str]) -> list[tuple[str, str]]:
    """Return packages sorted: exact names, names that start with the words, names that contain them, and the rest.

    Args:
        results: Names and summaries.
        words: The search terms.
    """
    terms = [word.lower() for word in words]

    def order(result: tuple[str, str]) -> tuple[int, str]:
        name, summary = result
        parts = {*re.split(r"[^a-z0-9]+", f"{name} {summary}".lower())}
        ranks = (name in terms, name.startswith(terms[0]), parts >= {*terms})
        return ranks.index(True) if True in ranks else len(ranks), name

    return sorted(results, key=order)


def export(path: Path, progress: Progress, machine: str = "") -> str:
    """Write the chosen toolbox to a tar, for a machine without a network; return its name.

    Args:
        path: The tar.
        progress: Receives the progress.
        machine: The machine it is for, as `uname -m` names it; this one unless given.

    Raises:
        ToolboxError: It isn't made yet, or can't be written.
    """
    selection = load_selection()
    pack = selection.pack()
    directory = store.find_anywhere(pack, machine)
    if directory is None:
        words = f"pyd toolbox build --machine {machine}" if machine else "pyd toolbox build"
        raise ToolboxError("there is no toolbox yet", hint=f"make one: {words}")
    names = sorted(os.path.join(where, name) for where, _, files in os.walk(directory) for name in ("", *files))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with tarfile.open(fresh, "w:gz", compresslevel=1) as tar:
            for done, name in enumerate(names):
                progress("writing", done, len(names))
                inside = name.removeprefix(directory).strip("/")
                tar.add(name, f"{os.path.basename(directory)}/{inside}".rstrip("/"), recursive=False)
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


def import_archive(path: Path, progress: Progress) -> str:
    """Take a toolbox from a tar that `export` wrote, and make it the chosen one; return its name.

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
        directories = [entry for entry in building.iterdir() if entry.is_dir() and _KEY.fullmatch(entry.name)]
        known = [store.pointer(note.selection.pack(), machine) for machine in (own_machine(), *DEBIAN)]
        if len(directories) != 1 or note.pointer not in known:
            raise ToolboxError(
                f"{path} holds a toolbox of another version of pyd, or for a machine that pyd has none for",
                hint="export it there with the same version of pyd",
            )
        if not (root / directories[0].name).exists():
            directories[0].rename(root / directories[0].name)
        store.point(root, note.pointer, directories[0].name)
        save_selection(note.selection)
    except (OSError, KeyError, tarfile.TarError, msgspec.DecodeError) as error:
        raise ToolboxError(f"{path} holds no toolbox: {error}", hint="pyd toolbox export FILE writes one") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return note.selection.pack().name


def remove(name: str) -> None:
    """Remove a toolbox of the store by its name, unless a session has it.

    Raises:
        NotFound: There is none of that name.
    """
    there = [toolbox.name for toolbox in list_stored()]
    if name not in there:
        raise NotFound(f"no toolbox {safe(name)!r}", hint=f"there are: {', '.join(there) or 'none'}")
    root = Path(store.store_root())
    for pointer in root.glob(f"{name}-[0-9]*"):
        pointer.unlink()
    store.sweep(root)
    if not list_stored():
        store.drop_packages(root)
