"""Keeping what a session changed: put back into the container, or made into an image."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import IO, Any

from pyd_core.debug.offline.archive import write_archive
from pyd_core.debug.offline.changes import ADDED, Changed
from pyd_core.engine.containers import Containers
from pyd_core.engine.images import Images
from pyd_core.engine.session import Session
from pyd_core.errors import Conflict, EngineError, InvalidInput, NotFound
from pyd_core.linux.namespaces import open_in_root
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_CHUNK = 1 << 18


def choose(changes: Sequence[Changed], paths: Sequence[str]) -> list[Changed]:
    """Returns the changes at or below some paths, with the new directories they lie in; all without paths.

    Raises:
        NotFound: Nothing changed there.
    """
    wanted = ["/" + "/".join(part for part in path.split("/") if part) for path in paths]
    for path in wanted:
        if not any(_covers(path, change.path) for change in changes):
            raise NotFound(
                f"the session changed nothing at {safe(path)}",
                hint="see what it did with --diff",
                reference="no-change",
            )
    if not wanted or "/" in wanted:
        return list(changes)
    chosen = {change.path for change in changes if any(_covers(path, change.path) for path in wanted)}
    return [
        change
        for change in changes
        if change.path in chosen or (change.kind == ADDED and any(_covers(change.path, path) for path in chosen))
    ]


def _covers(path: str, other: str) -> bool:
    return path in ("/", other) or other.startswith(f"{path}/")


def find_conflicts(changes: Iterable[Changed], own: str, began: int) -> list[str]:
    """Returns the paths that the container itself has changed since the session began.

    Args:
        changes: What the session changed.
        own: The container's own upper directory.
        began: When the session began, nanoseconds since the epoch by the kernel's clock for files.
    """
    root = os.open(own, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return [change.path for change in changes if _changed_since(root, change.path, began)]
    finally:
        os.close(root)


def _changed_since(root: int, path: str, began: int) -> bool:
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        try:
            where = open_in_root(root, "/".join(parts[:count]), os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return False  # nothing of the container's own here
        try:
            facts = os.fstat(where)
        finally:
            os.close(where)
        # A directory on the way changes with every entry; only one that turned into something else matters.
        if (count == len(parts) or not stat.S_ISDIR(facts.st_mode)) and facts.st_ctime_ns > began:
            return True
    return False


async def find_conflicts_by_engine(
    containers: Containers, name: str, changes: Iterable[Changed], before: int
) -> list[str]:
    """Returns the paths that aren't as they were, by asking the engine for each file; folders are left out.

    Args:
        containers: Of the engine.
        name: The container.
        changes: What the session changed.
        before: Descriptor of the root as it was.
    """
    return [change.path for change in changes if await _differs(containers, name, change.path, before)]


async def _differs(containers: Containers, name: str, path: str, before: int) -> bool:
    try:
        where = open_in_root(before, path, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        old = None
    else:
        old = os.fstat(where)
        os.close(where)
        if stat.S_ISDIR(old.st_mode):
            return False
    try:
        packed = await containers.archive_get(name, path)
    except NotFound:
        return old is not None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        now = tar.next()
    if old is None or now is None:
        return True
    return (now.size if now.isreg() else 0, int(now.mtime)) != (
        old.st_size if stat.S_ISREG(old.st_mode) else 0,
        int(old.st_mtime),
    )


async def apply(
    containers: Containers,
    container: Container,
    changes: Sequence[Changed],
    *,
    upper: int,
    before: int,
    own: str,
    began: int,
) -> None:
    """Puts added and changed paths into the container; deletions have no place in the engine's archive API.

    Args:
        containers: Of the engine.
        container: Where to.
        changes: What to put there.
        upper: Descriptor of the directory that has them.
        before: Descriptor of the root as it was.
        own: The container's own upper directory, if it is on this machine.
        began: When the session began, nanoseconds since the epoch by the kernel's clock for files.

    Raises:
        Conflict: The container changed one of them since the session began; nothing is put back then.
    """
    if own:
        conflicts = find_conflicts(changes, own, began)
    else:
        conflicts = await find_conflicts_by_engine(containers, container.id, changes, before)
    if conflicts:
        shown = safe(container.name)
        raise Conflict(
            f"{shown} itself has changed {', '.join(map(safe, conflicts[:5]))} since the session began",
            hint="name other paths with --apply, or keep all with --save IMAGE",
            reference="changed-meanwhile",
        )
    with tempfile.TemporaryFile() as file:
        write_archive(changes, upper, file, whiteouts=False)
        await containers.archive_put(container.id, "/", _chunks(file))


async def save(session: Session, container: Container, changes: Sequence[Changed], upper: int, name: str) -> None:
    """Makes an image of a target with a session's changes as its last layer.

    The engine is given the names of the layers it has and the content of the last one only. One that wants them all,
    as Podman does, gets a copy of its own.

    Raises:
        PydError: The engine refused; it has no new image then.
    """
    images = Images(session)
    is_image = container.id == container.image
    base = container.id if is_image else await Containers(session).commit(container.id)
    try:
        with tempfile.TemporaryFile() as layer:
            write_archive(changes, upper, layer, whiteouts=True)
            document = json.loads(await images.inspect_raw(base))
            try:
                with tempfile.TemporaryFile() as archive:
                    _write_image(document, layer, archive, name)
                    await _load(images, archive)
            except EngineError:
                with tempfile.TemporaryFile() as archive, tempfile.TemporaryFile() as below:
                    async with images.save([base]) as answer:
                        async for chunk in answer.chunks():
                            below.write(chunk)
                    below.seek(0)
                    with tarfile.open(fileobj=below) as known:
                        _write_image(document, layer, archive, name, known=known)
                    await _load(images, archive)
    finally:
        if not is_image:
            await images.remove(base)


async def _load(images: Images, archive: IO[bytes]) -> None:
    async with images.load(_chunks(archive)) as answer:
        said = b"".join([chunk async for chunk in answer.chunks()])
    for line in said.splitlines():
        told = json.loads(line)
        if "error" in told:
            raise EngineError(f"the engine didn't take the image: {safe(str(told['error']))}")


def check_name(name: str) -> str:
    """Returns an image's name with its tag.

    Raises:
        InvalidInput: It can't be one.
    """
    path, _, last = name.rpartition("/")
    short, colon, tag = last.partition(":")
    plain = f"{path}/{short}".lstrip("/")
    allowed = all(letter.isascii() and (letter.isalnum() or letter in "._-/:") for letter in name)
    if not short or not allowed or short != short.lower() or "@" in name or (colon and not tag) or ":" in tag:
        raise InvalidInput(f"no name for an image: {safe(name)!r}", hint="for example: web:fixed")
    return f"{plain}:{tag or 'latest'}"


def _write_image(
    base: dict[str, Any], layer: IO[bytes], out: IO[bytes], name: str, *, known: tarfile.TarFile | None = None
) -> None:
    """Writes an image as `docker save` does.

    Args:
        base: The inspect document of the image below.
        layer: The content of the last layer.
        out: Where to.
        name: The image's name with its tag.
        known: The image below as the engine saves it; without it, its layers are only named.
    """
    layer.seek(0)
    digest = hashlib.sha256()
    while chunk := layer.read(_CHUNK):
        digest.update(chunk)
    below = base["RootFS"].get("Layers") or []
    config = {
        "architecture": base.get("Architecture", ""),
        "os": base.get("Os", "linux"),
        "config": base.get("Config") or {},
        "rootfs": {"type": "layers", "diff_ids": [*below, f"sha256:{digest.hexdigest()}"]},
        "history": [*({"created_by": "pyd"} for _ in below), {"created_by": "pyd debug --save"}],
    }
    names = [f"{number}.tar" for number in range(len(below))]
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [*names, "layer.tar"]}]
    with tarfile.open(fileobj=out, mode="w") as tar:
        for file, document in (("manifest.json", manifest), ("config.json", config)):
            data = json.dumps(document).encode()
            _add(tar, file, io.BytesIO(data), len(data))
        if known is not None:
            for file, content, size in _layers(known, names):
                _add(tar, file, content, size)
        _add(tar, "layer.tar", layer, layer.seek(0, os.SEEK_END))


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    content.seek(0)
    tar.addfile(entry, content)


def _layers(known: tarfile.TarFile, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes], int]]:
    """The layers in a saved image, under new names."""
    manifest = known.extractfile("manifest.json")
    if manifest is None:
        return
    for name, path in zip(names, json.load(manifest)[0]["Layers"], strict=True):
        content = known.extractfile(path)
        if content is not None:
            yield name, content, content.seek(0, os.SEEK_END)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
