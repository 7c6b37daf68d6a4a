"""Making an image of a target with what a session changed as its last layer."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from pyd_core.client.api_client import ApiClient
from pyd_core.client.images import ImagesApi
from pyd_core.debug.stopped.archive import CHUNK, chunks
from pyd_core.debug.stopped.changes import ChangedPath
from pyd_core.debug.stopped.source import LayerSource
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.sanitise import safe


async def save(session: ApiClient, changes: Sequence[ChangedPath], source: LayerSource, name: str) -> None:
    """Make an image of a target with a session's changes as its last layer.

    The engine is given the names of the layers it has and the content of the last one only. One that wants them all,
    as Podman does, gets a copy of its own.

    Raises:
        PydError: The engine refused; it has no new image then.
    """
    images = ImagesApi(session)
    async with source.base() as base:
        with tempfile.TemporaryFile() as layer:
            await source.write(changes, layer, whiteouts=True)
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


async def _load(images: ImagesApi, archive: IO[bytes]) -> None:
    async with images.load(chunks(archive)) as progress_stream:
        async for _ in progress_stream:
            pass


def check_name(name: str) -> str:
    """Return an image's name with its tag.

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
    """Write an image as `docker save` does.

    Args:
        base: The inspect document of the image below.
        layer: The content of the last layer.
        out: The file to write to.
        name: The image's name with its tag.
        known: The image below as the engine saves it; without it, its layers are only named.
    """
    layer.seek(0)
    digest = hashlib.sha256()
    while chunk := layer.read(CHUNK):
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
