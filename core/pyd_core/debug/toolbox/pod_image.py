"""The toolbox as an image for debug containers in clusters, whose tools run wherever the container may do little.

Toolboxes run from `/dev/.pyd`, a name that only root can make in a container. So `/bin/sh` is a copy that runs from the
image's directory, and every other program has a script in `/bin` that calls the loader with the path of its libraries.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from pyd_core.debug.helper import TOOLBOX
from pyd_core.debug.helper.image import python_command
from pyd_core.debug.machine import DEBIAN
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import ToolboxError

Progress = Callable[[str, int, int], None]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"

AGENT = "pyd-agent"
SHELLS = ("sh", "bash")
_DIRECTORIES = ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var", "var/tmp")
_PATH = f"PATH={PREFIX}/bin:{PREFIX}/sbin:/bin"
_MAX_SHEBANG_BYTES = 256
_COMPRESSION = 6
_STAGE = "packing the toolbox"


class PodImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image for one architecture.

    Attributes:
        architecture: Go's name for it.
        layer: The compressed layer's file.
        layer_digest: The layer's digest.
        config: The configuration.
        manifest: The manifest.
    """

    architecture: str
    layer: Path
    layer_digest: str
    config: bytes
    manifest: bytes


def digest_of(content: bytes) -> str:
    """Return the digest of a document."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def index_of(images: list[PodImage]) -> bytes:
    """Return the index of images for several architectures."""
    manifests = [
        {
            "mediaType": MANIFEST,
            "digest": digest_of(image.manifest),
            "size": len(image.manifest),
            "platform": {"os": "linux", "architecture": image.architecture},
        }
        for image in images
    ]
    return msgspec.json.encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def pack_image(toolbox: str, machine: str, layer: Path, progress: Progress) -> PodImage:
    """Write the layer of a toolbox's image, and return the image.

    Args:
        toolbox: The toolbox's directory in the store.
        machine: The machine that it is for, as `uname -m` names it.
        layer: The file to write.
        progress: Receives the number of files.

    Raises:
        ToolboxError: The toolbox has no shell, or the layer can't be written.
    """
    try:
        with layer.open("wb") as raw:
            sink = _Digests(raw)
            with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=_COMPRESSION, mtime=0, filename="") as packed:
                content = _Digests(packed)
                with tarfile.open(fileobj=content, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
                    _write_tree(tar, toolbox, progress)
    except OSError as error:
        raise ToolboxError(f"{layer} can't be written: {error.strerror}", hint="check the space in TMPDIR") from error
    config = msgspec.json.encode(
        {
            "architecture": DEBIAN.get(machine, machine),
            "os": "linux",
            "config": {"Env": [_PATH, "TERMINFO_DIRS=/toolbox/share/terminfo"], "Cmd": ["/bin/sh"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [content.digest]},
        }
    )
    manifest = msgspec.json.encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": sink.digest, "size": sink.size}],
        }
    )
    return PodImage(
        architecture=DEBIAN.get(machine, machine),
        layer=layer,
        layer_digest=sink.digest,
        config=config,
        manifest=manifest,
    )


class _Digests:
    """Passes bytes on, and computes their digest."""

    def __init__(self, target: BinaryIO | gzip.GzipFile) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write bytes."""
        self._hash.update(data)
        self.size += len(data)
        self._target.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush the file."""
        self._target.flush()

    @property
    def digest(self) -> str:
        """The digest of all bytes."""
        return f"sha256:{self._hash.hexdigest()}"


def _write_tree(tar: tarfile.TarFile, toolbox: str, progress: Progress) -> None:
    for name in _DIRECTORIES:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
        tar.addfile(entry)
    _add_link(tar, "target", "/proc/1/root")
    python = python_command(toolbox)
    _add_script(tar, f"bin/{AGENT}", [*python, "-c"])
    for name in SHELLS:
        _add_file(tar, f"bin/{name}", moved(Path(toolbox, "bin", name).read_bytes()), 0o755)
    for name, words in programs(toolbox, python[: python.index(f"{TOOLBOX}/bin/python3")]):
        _add_script(tar, f"bin/{name}", words)
    names = sorted(os.path.join(parent, name) for parent, _, files in os.walk(toolbox) for name in ("", *files))
    for done, path in enumerate(names):
        tar.add(path, TOOLBOX[1:] + path.removeprefix(toolbox).rstrip("/"), recursive=False, filter=_plain)
        if done % 500 == 0:
            progress(_STAGE, done, len(names))
    progress(_STAGE, len(names), len(names))


def programs(toolbox: str, loader: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each program of a toolbox but its shells, and the words that run it without its prefix."""
    seen = {*SHELLS, AGENT}
    for directory in ("bin", "sbin"):
        for path in sorted(Path(toolbox, directory).glob("*")):
            if path.name in seen:
                continue
            seen.add(path.name)
            start = _start_of(path)
            where = f"{TOOLBOX}/{directory}/{path.name}"
            if start.startswith(b"\x7fELF"):
                # Python finds its modules by the name that it is started with.
                named = [] if path.name.startswith("python") else ["--argv0", path.name]
                yield path.name, [*loader, *named, where]
            elif start.startswith(b"#!"):
                words = start[2:].splitlines()[0].decode(errors="replace").split()
                if words and words[0].startswith(f"{PREFIX}/"):
                    yield path.name, [f"/bin/{words[0].rpartition('/')[2]}", *words[1:], where]


def moved(program: bytes) -> bytes:
    """Return a program of a toolbox as it runs from the image's directory, which has a shorter name.

    Raises:
        ToolboxError: It doesn't run from the toolbox's prefix.
    """
    here = f"{PREFIX}/".encode()
    if not program.startswith(b"\x7fELF") or here not in program:
        raise ToolboxError(f"the toolbox's shell doesn't run from {PREFIX}")
    return program.replace(here, f"{TOOLBOX}/".encode().ljust(len(here), b"/"))


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SHEBANG_BYTES)
    except OSError:
        return b""  # a link that leads nowhere


def _add_script(tar: tarfile.TarFile, name: str, words: list[str]) -> None:
    _add_file(tar, name, f'#!/bin/sh\nexec {" ".join(words)} "$@"\n'.encode(), 0o755)


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
